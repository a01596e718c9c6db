#pragma once

#include "keyshare/user/fresh_token.hpp"
#include "keyshare/user/passphrase.hpp"
#include "keyshare/user/terminal.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// The subcommands of pgveil-user: from arguments to files, calls and words for people.
namespace pgveil::user {

/// What it takes to make a token.
struct TokenArguments {
    std::string key_file;
    SecretSource passphrase;
    StatementSource statement;
    std::int64_t validity_s = 60;
    share::TokenScope scope;  ///< for no more than this
};

/// Prints the token and a line end.
Result<void> print_token(const Console& console, const TokenArguments& arguments);

/// Prints what PGOPTIONS must be for fresh shares: the present PGOPTIONS, extended.
Result<void> print_options(
    const Console& console, const TokenArguments& arguments, const std::string& app_share_file
);

/// Replaces this process by the command, with PGOPTIONS extended by fresh shares; its exit code is
/// ours. Returns only when it cannot be started. The shares stand in the command's environment,
/// where the same user and root can read them: that is the price of an unmodified client.
Result<void> exec_command(
    const TokenArguments& arguments,
    const std::string& app_share_file,
    const std::vector<std::string>& command
);

}  // namespace pgveil::user
