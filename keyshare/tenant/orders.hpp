#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/share/rotation_report.hpp"
#include "keyshare/tenant/home_state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::tenant {

// What the tenant orders, and what comes back. Pure: values in, the home's state changed; the
// caller saves the home before anything leaves the house.

/// A user id that this program gives out: 1 to 64 of A-Z a-z 0-9 . _ @ -, because it names files. P
/// itself allows more.
bool is_user_id(std::string_view text);

/// The new user of an `user add`.
struct NewUser {
    std::string user_id;
    std::vector<std::string> groups;
};

/// Makes shares and the signed add_user. Refuses an unknown group, and a
/// user that is active or whose last command is pending; a withdrawn or never admitted one gets
/// shares of the next epoch.
Result<void> add_user(
    HomeState& state, const NewUser& user, share::CommandTimes times, core::RandomSource& random
);

/// Makes an active user's next triple and the signed change_key. The former key is kept until the
/// receipt says that the new one is in force. Refuses a user that is not active, or whose last
/// command is pending.
Result<void> change_user_key(
    HomeState& state,
    std::string_view user_id,
    share::CommandTimes times,
    core::RandomSource& random
);

/// Which key group of which user is granted or revoked.
struct GroupOfUser {
    std::string user_id;
    std::string group;
};

/// As change_user_key, with one key group more. Refuses a group that the user has.
Result<void> grant_group(
    HomeState& state,
    const GroupOfUser& grant,
    share::CommandTimes times,
    core::RandomSource& random
);

/// As change_user_key, with one key group less. Refuses a group that the user does not have, and
/// his last one.
Result<void> revoke_group(
    HomeState& state,
    const GroupOfUser& grant,
    share::CommandTimes times,
    core::RandomSource& random
);

/// Makes TK of a new key group and the signed create_group. The group can be granted at once: the
/// commands are applied in their order. TK goes again if the command was not applied. Refuses a
/// name that is taken.
Result<void> create_group(
    HomeState& state, const std::string& name, share::CommandTimes times, core::RandomSource& random
);

/// Whether the command that makes this key group waits for its receipt.
bool is_being_created(const HomeState& state, std::string_view group);

/// Makes fresh TKa and TKp for every active user, and the signed renew_shares for each; TKu stays.
/// Returns how many. Refuses while the last command about any of them is pending.
Result<std::size_t> renew_shares(
    HomeState& state, share::CommandTimes times, core::RandomSource& random
);

/// The users whose renewal waits for its receipt, in the order of the commands.
std::vector<const UserRecord*> renewed_users(const HomeState& state);

/// Makes another TK for the group, and the signed renew_tk with the group's rewrapped keys and
/// fresh TKa and TKp of everybody who has it, in all of his groups; TKu stays. Returns how many
/// users. Refuses an unknown group, one whose making or renewal is pending, and while the last
/// command that gives shares to a user of the group is pending. The renewed TK counts from the
/// receipt on, and goes again if the command was not applied.
Result<std::size_t> renew_tk(
    HomeState& state,
    const std::string& group,
    share::CommandTimes times,
    core::RandomSource& random
);

/// The users of the renew_tk that waits for its receipt.
std::vector<const UserRecord*> users_of_renewed_tk(const HomeState& state);

/// Makes the group's next data key and the signed new_data_key. Refuses an unknown group, one that
/// has a next key, and while a command that brings keys of the group is pending.
Result<void> new_data_key(
    HomeState& state,
    const std::string& group,
    share::CommandTimes times,
    core::RandomSource& random
);

/// Makes the signed retire_data_key for the group of the report: its next key becomes its only one.
/// Refuses a report about another key, one that is older than a day, and while a command that
/// brings keys of the group is pending.
Result<void> retire_data_key(
    HomeState& state, const share::RotationReport& report, share::CommandTimes times
);

/// Whether one of these two waits for its receipt.
bool is_key_ordered(const HomeState& state, std::string_view group);

/// The kept key of a user, to be handed out again. Refuses a user that is not active, or whose last
/// command is pending: which key is in force is not known then.
Result<const UserRecord*> kept_user(const HomeState& state, std::string_view user_id);

/// Makes the signed withdraw_user, which never expires; none if one is pending. Refuses a user that
/// is not known, and one that is withdrawn already.
Result<void> withdraw_user(HomeState& state, std::string_view user_id, std::int64_t now_s);

/// Looks at the newest receipt that the proxy has given. If it answers a command of this home (or
/// the end of the bootstrap), a restored home lacks nothing and may make commands again. Refuses it
/// if the proxy has applied commands that this home does not have.
Result<void> reconcile(HomeState& state, std::string_view newest_receipt);

/// The commands without a receipt, oldest first.
std::vector<const CommandRecord*> pending(const HomeState& state);

/// Verifies P's answer (one or several receipts) and notes what became of each command. Receipts
/// already filed change nothing. Returns how many were new. All or nothing: on an error the caller
/// drops the changed state.
Result<std::size_t> file_receipts(HomeState& state, std::string_view text);

}  // namespace pgveil::tenant
