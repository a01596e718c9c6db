#pragma once

#include "keyshare/custody/asker_settings.hpp"
#include "keyshare/custody/error.hpp"
#include "keyshare/custody/group_file.hpp"
#include "keyshare/custody/https_calls.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::custody {

/// A group to be made, or the next epoch of one.
struct RunPlan {
    std::uint32_t threshold = 0;
    std::vector<std::string> members;  ///< names of custodians; their order is that of the group
    std::string policy;                ///< JSON: who may ask for what
    /// Present: its key gets new shares (the same members: refresh; others: reshare).
    std::optional<PinnedGroup> from = {};
    /// Members of `from` that are lost: nobody waits for them. Those that are left, at least its
    /// threshold, deal the new shares.
    std::vector<std::string> lost = {};
};

struct CoordinationTimes {
    std::chrono::milliseconds limit{10000};     ///< of one call
    std::chrono::milliseconds patience{30000};  ///< without any progress
};

/// Carries the messages of a run between custodians until every one of them has the group.
///
/// Nobody trusts the coordinator: it sees public messages only, members check each other's
/// statements against their own peers, and a group exists only when all have signed the same. What
/// it checks for itself, against the identities in its settings: each statement, and in the end
/// that all members serve the same group, with a certificate by just these members' keys.
///
/// The session and the run's setup are kept in `state_file` from before the first message. After a
/// kill of the coordinator, or of custodians, the same call goes on where it was. kSettings when
/// the file belongs to another plan; kUnreachable when there was no progress within the patience:
/// call again; kCheating names the custodian, and the run is given up: the next call begins another
/// one.
Result<PinnedGroup> make_group(
    const AskerSettings& settings,
    const RunPlan& plan,
    const std::string& state_file,
    CoordinationTimes times = {}
);

/// Gives up the run of that file, if no custodian has signed yet; then the file goes.
Result<void> abandon_run(
    const AskerSettings& settings,
    const RunPlan& plan,
    const std::string& state_file,
    CoordinationTimes times = {}
);

}  // namespace pgveil::custody
