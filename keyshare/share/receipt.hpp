#pragma once

#include "keyshare/core/jws.hpp"
#include "keyshare/share/command.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/keyring.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pgveil::share {

/// What became of a command. All three consume its sequence number.
enum class Outcome {
    kApplied,
    kExpired,  ///< its time was over: nothing changed
    kRefused,  ///< well signed and in order, but it cannot be done (see `reason`): nothing changed
};

/// P's signed answer to one command; sequence 0 is the close receipt of the bootstrap.
struct Receipt {
    std::string tenant;
    std::uint64_t sequence = 0;
    Digest hash{};  ///< core::jws_hash of the command (close receipt: of the confirmation)
    Outcome outcome = Outcome::kApplied;
    std::string reason;  ///< empty unless refused
    std::int64_t at_s = 0;
    std::uint64_t store_version = 0;
    Keyring keyring;
    CommandPublicKey next_command_key;
};

/// JWS by P's identity key, typ "pgveil-receipt".
std::string sign_receipt(const Receipt& receipt, const core::SigningKey& identity);
Result<Receipt> verify_receipt(
    std::string_view jws, const core::VerifyingKey& pinned_identity, std::string_view tenant
);
/// As verify_receipt, and the receipt must be the answer to exactly this command (kOutOfOrder
/// otherwise). The SQL calls return one receipt per command, oldest first, separated by one comma:
/// use split_commands on it.
Result<Receipt> verify_receipt_of(
    std::string_view jws,
    std::string_view command_jws,
    const core::VerifyingKey& pinned_identity,
    std::string_view tenant
);

}  // namespace pgveil::share
