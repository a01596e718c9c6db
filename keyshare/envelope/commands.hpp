#pragma once

#include "keyshare/envelope/files.hpp"
#include "keyshare/envelope/header.hpp"
#include "keyshare/envelope/named_holders.hpp"
#include "keyshare/envelope/protected_share.hpp"
#include "keyshare/user/passphrase.hpp"
#include "keyshare/user/terminal.hpp"

#include <string>
#include <vector>

// The commands of pgveil-envelope: each takes what stands on the command line, talks to people
// through the console, and says in its error what to do next.
namespace pgveil::envelope {

struct InitArguments {
    std::vector<std::string> holders;  ///< NAME=DIRECTORY, two or three
    std::string key_file;
    user::SecretSource password;
    unsigned log_n = kScryptLogN;
};

/// Makes a group, its holders' directories and its public key. With two holders the third share is
/// protected by a password and a recovery code, which is printed.
Result<void> init(const user::Console& console, const InitArguments& arguments);

struct RenewArguments {
    std::vector<std::string> holders;  ///< directories
    user::SecretSource password;
    unsigned log_n = kScryptLogN;
};

/// New shares for every holder, a new password and a new code; the public key stays.
Result<void> renew(const user::Console& console, const RenewArguments& arguments);

struct ReplaceArguments {
    std::vector<std::string> holders;  ///< directories of those that are left
    std::string newcomer;              ///< NAME=DIRECTORY
    user::SecretSource password;       ///< of groups that have one; it stays
    user::SecretSource code;
    unsigned log_n = kScryptLogN;
};

/// A new holder in the place of one that is lost, with the help of the two other shares. All three
/// get new ones: what was lost combines with none of them. The public key stays.
Result<void> replace(const user::Console& console, const ReplaceArguments& arguments);

/// Checks the access log of a holder and prints it.
Result<void> print_log(const user::Console& console, const std::string& holder);

struct SealArguments {
    std::string file;
    std::string key_file;
    std::string
        out;  ///< empty: the file's name with .pgveil, or standard output for standard input
    Policy policy;
    Existing existing = Existing::kKeep;
};

Result<void> seal(const user::Console& console, const SealArguments& arguments);

struct OpenArguments {
    std::string file;
    std::string out;  ///< empty: the file's name without .pgveil
    HolderArguments holders;
    std::string requester;  ///< empty: the login's name
    std::string purpose = "open";
    Existing existing = Existing::kKeep;
};

Result<void> open(const user::Console& console, const OpenArguments& arguments);

/// Prints what the header of a file says.
Result<void> show(const user::Console& console, const std::string& file);

/// YYYY-MM-DD (its start) or YYYY-MM-DDThh:mm:ssZ, in UTC, as Unix seconds.
Result<std::int64_t> parse_time(const std::string& text);
std::string time_text(std::int64_t at_s);

}  // namespace pgveil::envelope
