#pragma once

#include "keyshare/store/command_book.hpp"

#include <vector>

namespace pgveil::store {

/// What a renew_tk makes of the users. kRefused, with the reason for the receipt, if the keyring
/// cannot take its rows, or if its users are not exactly those that have the group and the share
/// that each of them holds: nobody may be left with a triple of the former TK.
Result<std::vector<UserChange>> renewed_users(
    const CommandContext& context, const share::Command& command
);

}  // namespace pgveil::store
