#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/core/siv.hpp"
#include "keyshare/core/xaes.hpp"
#include "sql/field/protected_column.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

namespace pgveil::field {

/// One answer for every failure, so that nobody learns more from us than "no".
enum class OpenError { kNotOpened };

/// The key of one column and DEK epoch: 32 bytes for randomized (purpose "xaes"), 64 for equality
/// (purpose "siv"). Borrowed from the request's keys for the time of a call.
struct FieldKey {
    core::ByteView key;
    std::uint32_t key_id = 0;
};

/// Where a value belongs. Borrowed.
struct FieldPlace {
    std::string_view tenant;
    const ProtectedColumn& column;
};

/// The purpose word of the column key derivation for a scheme: "xaes" or "siv".
std::string_view key_purpose(config::Scheme scheme);
/// The size in bytes of that key: 32 or 64.
std::size_t key_size(config::Scheme scheme);

/// Which bytes bind a value to its place: LP(tenant, group, key id, context, type, scheme), and
/// nothing else. The type carries no typmod (but the scale of a searchable numeric) and varchar
/// counts as text, so that widening a column breaks no value. It is the GCM associated data, and
/// the first S2V component for equality.
core::Bytes associated_data(const FieldPlace& place, std::uint32_t key_id);

/// Seals and opens the values of one column under one key, for the time of one request.
///
/// Holds round keys, so it lives no longer than the request; its memory is wiped with it. Values
/// sealed by one object reuse a derived key (see core::XaesNonces), so keep one per column when
/// many values are sealed. One thread at a time. `key` must have the scheme's size (invariant).
class FieldCipher {
public:
    FieldCipher(const FieldKey& key, const FieldPlace& place);

    /// One plaintext (field::plaintext_of, any size from 0) into an envelope. `random` is used by
    /// the randomized scheme only.
    core::Bytes seal(core::ByteView plaintext, core::RandomSource& random);

    /// Fails for every altered, moved, foreign, truncated or unknown envelope with the same error.
    /// An envelope whose key id or scheme is not that of key and column is such a one.
    boost::system::result<core::SecretBytes, OpenError> open(core::ByteView envelope);

private:
    struct Randomized {
        core::Xaes256Gcm cipher;
        core::XaesNonces nonces;
    };

    core::Bytes seal_randomized(
        Randomized& keyed, core::ByteView plaintext, core::RandomSource& random
    );
    core::Bytes seal_equality(core::AesSiv& keyed, core::ByteView plaintext);

    config::Scheme scheme_;
    std::uint32_t key_id_;
    core::Bytes associated_;
    std::variant<Randomized, core::AesSiv> keyed_;
};

/// FieldCipher for a single value.
core::Bytes seal_value(
    const FieldKey& key,
    const FieldPlace& place,
    core::ByteView plaintext,
    core::RandomSource& random
);
boost::system::result<core::SecretBytes, OpenError> open_value(
    const FieldKey& key, const FieldPlace& place, core::ByteView envelope
);

}  // namespace pgveil::field
