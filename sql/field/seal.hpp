#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/order_tag.hpp"
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

/// The key of one column and DEK epoch: 32 bytes for randomized and padded (purpose "xaes"), 64 for
/// equality (purpose "siv"), 128 for order (purpose "siv and order tag": the key of AES-SIV, then
/// that of the order tag). Borrowed from the request's keys for the time of a call.
struct FieldKey {
    core::ByteView key;
    std::uint32_t key_id = 0;
};

/// Where a value belongs. Borrowed.
struct FieldPlace {
    std::string_view tenant;
    const ProtectedColumn& column;
};

/// The purpose word of the column key derivation for a scheme: "xaes", "siv", "siv and order tag".
std::string_view key_purpose(config::Scheme scheme);
/// The size in bytes of that key: 32, 64 or 128.
std::size_t key_size(config::Scheme scheme);

/// Which bytes bind a value to its place: LP(tenant, group, key id, context, type, scheme), and
/// nothing else; for a column with `bind_to` the row binding follows as a seventh part. The type
/// carries no typmod (but the scale of a searchable numeric) and varchar counts as text, so that
/// widening a column breaks no value. It is the GCM associated data, and the first S2V component
/// for equality and order; the order tag is the second one.
core::Bytes associated_data(const FieldPlace& place, std::uint32_t key_id);

/// Seals and opens the values of one column under one key, for the time of one request.
///
/// Holds round keys, so it lives no longer than the request; its memory is wiped with it. Values
/// sealed by one object reuse a derived key (see core::XaesNonces), so keep one per column when
/// many values are sealed. One thread at a time. `key` must have the scheme's size (invariant).
class FieldCipher {
public:
    FieldCipher(const FieldKey& key, const FieldPlace& place);

    /// One plaintext (of field::plaintext_of; any size from 0) into an envelope. `random` is used
    /// by all schemes but equality and order. `row` is row_binding() for a column with `bind_to`,
    /// else empty (invariant).
    core::Bytes seal(core::ByteView plaintext, core::RandomSource& random, core::ByteView row = {});

    /// The same in `room`, whose former bytes are lost; for many values. The view lives as long as
    /// the bytes of `room`.
    core::ByteView seal_in(
        core::Bytes& room,
        core::ByteView plaintext,
        core::RandomSource& random,
        core::ByteView row = {}
    );

    /// Fails for every altered, moved, foreign, truncated or unknown envelope with the same error.
    /// An envelope whose key id or scheme is not that of key and column, or whose row is not `row`,
    /// is such a one.
    boost::system::result<core::SecretBytes, OpenError> open(
        core::ByteView envelope, core::ByteView row = {}
    );

    /// The same in `room`, which grows as needed and may hold other values behind; for many values
    /// of one request. The view lives as long as the bytes of `room`.
    boost::system::result<core::ByteView, OpenError> open_in(
        core::SecretBytes& room, core::ByteView envelope, core::ByteView row = {}
    );

private:
    struct Randomized {
        core::Xaes256Gcm cipher;
        core::XaesNonces nonces;
    };

    struct Ordered {
        core::AesSiv siv;
        core::OrderTag tag;
        types::Type type;
        std::uint32_t order_bytes;
        std::size_t tag_size;
    };

    using Keyed = std::variant<Randomized, core::AesSiv, Ordered>;

    static Keyed keyed_for(const ProtectedColumn& column, core::ByteView key);
    core::ByteView associated_with(core::ByteView row);
    void seal_randomized(
        core::Bytes& envelope,
        core::ByteView plaintext,
        core::RandomSource& random,
        core::ByteView row
    );
    core::Bytes seal_equality(core::AesSiv& keyed, core::ByteView plaintext);
    core::Bytes seal_ordered(Ordered& keyed, core::ByteView plaintext);
    bool accepts(core::ByteView envelope, core::ByteView row) const;
    core::Result<core::SecretBytes> open_body(core::ByteView body, core::ByteView row);
    core::Result<core::SecretBytes> open_ordered(Ordered& keyed, core::ByteView body);

    config::Scheme scheme_;
    bool is_bound_;
    std::uint32_t pad_to_;
    std::uint32_t key_id_;
    core::Bytes associated_;
    core::Bytes associated_with_row_;  // of the value at hand
    Keyed keyed_;
};

/// FieldCipher for a single value without row.
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
