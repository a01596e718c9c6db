#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "sql/types/style.hpp"
#include "sql/types/type.hpp"

// PostgreSQL's assignment casts between different types, numbers, characters and the casts between
// date and timestamps aside: times and intervals, inet and cidr, json and jsonb, arrays.
namespace pgveil::types {

/// True for the pairs that assignment_cast() converts, at least some values of them.
bool has_assignment_cast(Kind from, Kind to);

/// `binary` is a send form of `from`. The typmod of the result is not applied. 0A000 for what needs
/// the clock or a TimeZone that is not known, and for an infinite timestamp, which PostgreSQL makes
/// a NULL time.
Result<core::SecretBytes> assignment_cast(
    Kind from, Kind to, core::ByteView binary, const TextStyle& style
);

}  // namespace pgveil::types
