#pragma once

#include "keyshare/envelope/files.hpp"
#include "keyshare/user/error.hpp"
#include "keyshare/user/terminal.hpp"

#include <string>

// The commands of `pgveil-custodian deposit`: secrets of a person that a group has in custody, in
// the three ways of KMaaS. Each takes what stands on the command line and says in its error what to
// do next.
namespace pgveil::custodian {

/// What a deposit may hold: a key, a passphrase, a short file. Longer ones are for pgveil-envelope.
inline constexpr std::size_t kDepositMax = std::size_t{16} << 10U;

/// A private key of the person's own, in a file of mode 0600; prints the public one.
user::Result<void> make_user_key(const user::Console& console, const std::string& out);

struct CreateDeposit {
    std::string file;           ///< the secret; kStandardStream: standard input
    bool is_generated = false;  ///< instead of a file: 32 random bytes, which nobody has seen
    std::string group;
    std::string keeping;   ///< "key", "share" or "nothing"
    std::string user_key;  ///< for "key": the public key that make_user_key() printed
    std::string out;
    envelope::Existing existing = envelope::Existing::kKeep;
};

/// Offline, with public keys alone.
user::Result<void> create_deposit(const user::Console& console, const CreateDeposit& arguments);

struct FetchDeposit {
    std::string deposit;
    std::string custodians;
    std::string group;
    std::string user_key;  ///< the private one, for a deposit that needs it
    std::string own;  ///< settings of the person's own custodian, which is not asked over HTTPS
    std::string purpose = "fetch";
    std::string receipt;  ///< empty: none is written
    std::string out;
    envelope::Existing existing = envelope::Existing::kKeep;
};

user::Result<void> fetch_deposit(const user::Console& console, const FetchDeposit& arguments);

struct VerifyReceipt {
    std::string receipt;
    std::string group;
    std::string deposit;  ///< empty: not compared
};

/// Prints who took part; fails unless that is shown.
user::Result<void> verify_receipt(const user::Console& console, const VerifyReceipt& arguments);

}  // namespace pgveil::custodian
