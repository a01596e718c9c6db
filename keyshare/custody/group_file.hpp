#pragma once

#include "keyshare/custody/error.hpp"
#include "keyshare/quorum/group.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pgveil::custody {

/// A group as its askers keep it: whoever has this file takes no other key for it. Public.
struct PinnedGroup {
    quorum::Group group;
    std::vector<std::string> members;  ///< the custodians' names, in the order of the group

    friend bool operator==(const PinnedGroup&, const PinnedGroup&) = default;
};

/// JSON: {"format": "pgveil-group/1", "id", "epoch", "threshold", "public_key", "members",
/// "group"}; all but the last two are for people, and have to fit the last.
std::string write_group(const PinnedGroup& pinned);
/// kSettings for anything that write_group() does not write; `file` is for the message.
Result<PinnedGroup> parse_group_file(const std::string& file, std::string_view text);

Result<PinnedGroup> load_group(const std::string& file);
/// Replaces the file at once and durably (mode 0644 and the umask).
Result<void> save_group(const std::string& file, const PinnedGroup& pinned);

/// Replaces any file so.
Result<void> save_file(const std::string& file, std::string_view text);

}  // namespace pgveil::custody
