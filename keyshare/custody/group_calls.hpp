#pragma once

#include "keyshare/custody/asker_settings.hpp"
#include "keyshare/custody/error.hpp"
#include "keyshare/custody/group_file.hpp"

#include <string>

namespace pgveil::custody {

/// Which groups each custodian has a share of: a line for each, and one for a custodian that does
/// not answer. For people.
std::string list_groups(const AskerSettings& settings);

/// What a pinned group is, and how each member stands to it. For people; kTooFew, with the same
/// text, when fewer than the threshold hold a live share of just this group and epoch.
Result<std::string> show_group(const AskerSettings& settings, const PinnedGroup& pinned);

/// Has every member destroy its share. The text says of each whether it did; kTooFew, with the same
/// text, while enough of them are left that the key can still be used.
Result<std::string> shred_group(const AskerSettings& settings, const PinnedGroup& pinned);

}  // namespace pgveil::custody
