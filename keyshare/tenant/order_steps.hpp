#pragma once

#include "keyshare/tenant/orders.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Steps that the orders share.
namespace pgveil::tenant {

/// Adds a command that was just signed to the home's list.
void append_command(
    HomeState& state,
    share::Operation operation,
    std::string_view user_id,
    std::int64_t now_s,
    std::string jws
);

/// The user's next triple in these groups, and the signed change_key. `known` is of `state`, and
/// has other values afterwards.
Result<void> change_triple(
    HomeState& state,
    const UserRecord& known,
    std::vector<std::string> groups,
    share::CommandTimes times,
    core::RandomSource& random
);

/// Refuses to make commands in a home that was restored and not reconciled: a number of the chain
/// could be given out twice.
Result<void> require_reconciled(const HomeState& state);

/// The error about orders and receipts while a fresh proxy is being taken over.
user::Error adoption_first();

/// One user's renewal: fresh TKa and TKp beside the kept TKu, and the signed renew_shares.
Result<void> renew_one(
    HomeState& state, UserRecord& user, share::CommandTimes times, core::RandomSource& random
);

/// The error about a user whose last command waits for its receipt.
user::Error waits_for_receipt(std::string_view user_id);

/// Refuses to make shares of these groups while TK of one of them is under renewal.
Result<void> require_settled(const HomeState& state, const std::vector<std::string>& groups);

/// Higher than any in the keyring or on its way to it.
std::uint32_t next_key_id(const HomeState& state);

/// Refuses while a command that brings keys of the group waits for its receipt.
Result<void> require_keys_settled(const HomeState& state, const std::string& group);

/// Fails if P has not taken the next key of a new_data_key as it was made.
Result<void> settle_data_key(HomeState& state, const CommandRecord& command);

/// What the outcome of a renew_tk leaves: the renewed TK, if P has taken the rows as they were
/// made, else the former.
Result<void> settle_tk(HomeState& state, const CommandRecord& command);

}  // namespace pgveil::tenant
