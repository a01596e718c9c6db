#pragma once

#include "keyshare/tenant/home_state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::tenant {

/// One SQL call that carries pending commands, oldest first: `add_user(uid, NULL, commands)`,
/// change_key likewise, `withdraw_user(uid, commands)`, or for renew_shares, create_group and
/// renew_tk `apply(commands)`, after the last of them.
struct Call {
    std::string operation;  ///< of the last command
    std::string function;
    std::vector<std::optional<std::string>> arguments;
    std::uint64_t sequence = 0;                  ///< of the last command
    std::vector<const CommandRecord*> commands;  ///< of the state it was made of
};

/// The calls that carry every pending command, share::kCommandsMax at most in each; to be made in
/// this order. Empty if there is none.
std::vector<Call> calls_for(const HomeState& state);

/// The file form of a call: comments for people, then one SQL statement.
std::string sql_file(const HomeState& state, const Call& call);
/// "0007-add_user.sql".
std::string sql_file_name(const Call& call);

}  // namespace pgveil::tenant
