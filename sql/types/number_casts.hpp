#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "sql/types/style.hpp"
#include "sql/types/type.hpp"

#include <optional>

// Casts among int2, int4, int8, numeric, float4 and float8. `binary` is a send form of `from`.
namespace pgveil::types {

bool is_integer(Kind kind);
bool is_float(Kind kind);
/// An integer, a float or numeric.
bool is_number(Kind kind);

/// PostgreSQL's cast without a typmod: 22003 where it overflows, 0A000 with PostgreSQL's text for a
/// NaN or infinity that becomes an integer.
Result<core::SecretBytes> cast_number(Kind from, Kind to, core::ByteView binary);

/// The value of `column` that PostgreSQL's operator calls equal to the constant. Nullopt: there is
/// none, or more than one. `from` and `column` differ.
Result<std::optional<core::SecretBytes>> equal_number(
    Kind from, Type column, core::ByteView binary
);

}  // namespace pgveil::types
