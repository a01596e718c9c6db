#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "sql/types/style.hpp"
#include "sql/types/type.hpp"

// Conversions of a typed constant to the type of a protected column.
namespace pgveil::types {

/// `column <operator> constant` where the constant has type `from` and the column type `column`.
/// Succeeds only if the conversion loses nothing and comparing the result with a column value is
/// the same as PostgreSQL's own answer; else kUnsupportedForm. Length limits do not apply.
/// Allowed: equal kinds; any integer to any integer that holds it; text and varchar to each other;
/// date to timestamp in range; timestamp at midnight to date. Time-zone dependent pairs are
/// refused.
Result<core::SecretBytes> convert_for_comparison(Type from, Type column, core::ByteView binary);

/// `column := constant` by PostgreSQL's assignment casts, typmod included (22003, 22001, 22008 as
/// PostgreSQL reports them); a pair without an assignment cast is kUnsupportedForm.
/// Casts between timestamp(tz) and date use style.zone.
Result<core::SecretBytes> convert_for_assignment(
    Type from, Type column, core::ByteView binary, const TextStyle& style
);

/// `value::type` where `binary` already has the kind of `type`: applies the typmod as an explicit
/// cast does (varchar(n) truncates to n characters, timestamp(p) rounds).
Result<core::SecretBytes> apply_explicit_typmod(Type type, core::ByteView binary);

}  // namespace pgveil::types
