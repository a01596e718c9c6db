#pragma once

#include "keyshare/custody/asker_settings.hpp"
#include "keyshare/custody/error.hpp"
#include "keyshare/custody/group_file.hpp"

#include <chrono>
#include <string>

namespace pgveil::custody {

/// The group at its next epoch, from what a custodian gives for the present one. Nobody is believed
/// for it: t members of `from` have proved that they hold their shares for just these new members,
/// names and policy, and all new members have signed. kCheating for anything else. Never throws on
/// any text.
Result<PinnedGroup> successor_of(const PinnedGroup& from, const std::string& body);

/// The newest epoch that the custodians lead to, step by step; `from` itself where none knows of a
/// newer one. Asks all of its members that the settings know, and waits for the first that has a
/// good answer, or until t of them have none. Blocks, for `limit` a step at most.
PinnedGroup newest_of(
    const AskerSettings& settings, const PinnedGroup& from, std::chrono::milliseconds limit
);

/// load_group(), then newest_of(); what is newer replaces the file where that may be written.
Result<PinnedGroup> load_newest_group(const AskerSettings& settings, const std::string& file);

/// Where the group of the file has gone on to `newest`: written there if it may be.
void keep_newest(const std::string& file, const PinnedGroup& former, const PinnedGroup& newest);

}  // namespace pgveil::custody
