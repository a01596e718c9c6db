#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "sql/types/type.hpp"

#include <cstddef>
#include <cstdint>

// Bytes in whose order values stand as PostgreSQL's operators of the type order them (CRYPTO.md
// section 2): what an order tag is made from.
namespace pgveil::types {

inline constexpr std::uint32_t kDefaultOrderBytes = 32;

/// True if `type` has such a form: integers, floats, date, times, timestamps, numeric of a scale
/// and at most 38 digits, bytea, and the character types that have a searchable form. Not bool,
/// uuid, inet, cidr.
bool has_order_form(Type type);

/// Character types are ordered by their UTF-8 bytes, which is PostgreSQL's order only under a
/// collation that compares bytes.
bool is_ordered_by_collation(Kind kind);

/// True for the types that are ordered by so many of their first bytes; their values may have no
/// more.
bool takes_order_bytes(Kind kind);

/// The size of the type's order forms. `order_bytes` matters if takes_order_bytes(). The type has
/// an order form (invariant).
std::size_t order_form_size(Type type, std::uint32_t order_bytes);

/// `stored` is a searchable_form() of `type`, which has an order form (invariant). Equal values
/// have equal forms, and only they. 22001 for more than `order_bytes`; 0A000 for a numeric constant
/// that no value of the column equals.
Result<core::SecretBytes> order_form(Type type, std::uint32_t order_bytes, core::ByteView stored);

}  // namespace pgveil::types
