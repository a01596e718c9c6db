#pragma once

#include "keyshare/attest/customer_key.hpp"
#include "keyshare/attest/quote.hpp"
#include "keyshare/catalogue/key_state.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/share/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pgveil::catalogue {

using share::Result;

/// What a customer ordered: never changes, and goes into the certificate of the key's creation.
struct KeyOrder {
    std::string tenant;
    std::string label;  ///< unique in a dictionary
    std::string owner;
    std::string purpose;
    attest::KeyDesign design;  ///< its authority's purpose is the tenant's (migration_purpose)
    std::int64_t ordered_at_s = 0;
    Cryptoperiod period;
};

/// "NMK", "MK", "CMK": as the paper and TPM 1.2 call them.
std::string_view name_of(attest::Migration migration);
/// "signing", "encryption".
std::string_view name_of(attest::KeyUse use);
/// "ECDSA P-256 SHA-256", "ECDH P-256".
std::string_view algorithm_of(attest::KeyUse use);
std::optional<attest::Migration> parse_migration(std::string_view name);
std::optional<attest::KeyUse> parse_use(std::string_view name);

/// SHA-256 of the order in its JSON form: the extra of the certificate of creation.
attest::Sha256Digest digest_of(const KeyOrder& order);

/// kInvalidArgument: a name that is none (1 to 255 bytes, no control characters), or a period that
/// ends before it begins.
Result<void> check_order(const KeyOrder& order);

/// Everything known of a key. Public, though the dictionary keeps it sealed.
struct KeyRecord {
    KeyOrder order;
    core::PublicPoint point;
    core::PublicPoint made_by;  ///< attestation key of the TPM that made it
    attest::Signed creation;    ///< that TPM's word for it
    core::PublicPoint held_by;  ///< attestation key of the TPM that has it now
    std::uint64_t version = 1;  ///< one more with each change
    KeyState state = KeyState::kPreActive;
    std::int64_t changed_at_s = 0;
    std::string reason;  ///< of the last change, for people; may be empty

    attest::Name name() const { return attest::name_of(order.design, point); }
};

/// A JWS of the tenant's (docs/FORMATS.md).
std::string sign_record(const KeyRecord& record, const core::SigningKey& tenant);

/// The record, if the tenant has signed it, and the TPM that it names has certified that it made
/// this very key for this very order. Whether that TPM is the right one, and the version the
/// newest, is the caller's question. Never throws on any text.
Result<KeyRecord> verify_record(
    std::string_view jws, const core::VerifyingKey& key, std::string_view tenant
);

/// The next version of the record; kInvalidArgument, and no change, if the key may not go from its
/// state at this time to that one.
Result<KeyRecord> with_state(
    KeyRecord record, KeyState state, std::int64_t now_s, std::string reason
);

/// Nothing if the key may protect something new now; else why not.
Result<void> check_usable(const KeyRecord& record, std::int64_t now_s);

}  // namespace pgveil::catalogue
