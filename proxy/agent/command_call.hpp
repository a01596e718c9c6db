#pragma once

#include "keyshare/core/secret.hpp"
#include "proxy/wire/output.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pgveil::agent {

/// A call of the tenant's that is meant for application and proxy both (CRYPTO.md section 3).
struct CommandCall {
    enum class Function { kAddUser, kChangeKey, kWithdrawUser };

    Function function = Function::kAddUser;
    std::string user_id;
    core::SecretBytes app_share;  ///< empty: NULL was given, or the function has none
    std::string commands;         ///< signed, for the proxy
};

enum class Reading {
    kOther,    ///< it is none of these calls
    kCall,     ///< `call` and `text` say which
    kUnclear,  ///< it names one, but not in the form that is read
};

struct ReadCall {
    Reading reading = Reading::kOther;
    CommandCall call;
    wire::WipedText text;  ///< the same call with NULL in place of the app share
};

/// Reads `SELECT pgveil.add_user('UID', 'pgva1....', 'COMMANDS')`, pgveil.change_key likewise, and
/// `pgveil.withdraw_user('UID', 'COMMANDS')`: one statement, constants '...' or NULL, words in
/// either case, white space and comments before it, a semicolon behind it. Anything else that names
/// one of the three is kUnclear.
ReadCall read_command_call(std::string_view text);

}  // namespace pgveil::agent
