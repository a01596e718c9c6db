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
/// Allowed: equal kinds; a number of any type for which the column has exactly one equal value;
/// text and varchar to each other, char to text, either to char without blanks at the end; date to
/// timestamp in range; timestamp at midnight to date; inet and cidr to each other. Time-zone
/// dependent pairs are refused.
Result<core::SecretBytes> convert_for_comparison(Type from, Type column, core::ByteView binary);

/// True for the pairs that convert_for_comparison can convert for at least some values.
bool is_comparable(Kind from, Kind column);

/// True for the pairs that have an assignment cast.
bool is_assignable(Kind from, Kind column);

/// text, varchar or char.
bool is_characters(Kind kind);

/// `column := constant` by PostgreSQL's assignment casts, typmod included (22003, 22001, 22008 as
/// PostgreSQL reports them); a pair without an assignment cast is kUnsupportedForm.
/// Casts between timestamp(tz) and date use style.zone.
Result<core::SecretBytes> convert_for_assignment(
    Type from, Type column, core::ByteView binary, const TextStyle& style
);

/// `value::type` where `binary` already has the kind of `type`: applies the typmod as an explicit
/// cast does (varchar(n) and char(n) truncate to n characters, timestamp(p) and numeric(p,s)
/// round).
Result<core::SecretBytes> apply_explicit_typmod(Type type, core::ByteView binary);

/// True for the pairs that cast_explicitly can convert for at least some values.
bool is_castable(Kind from, Kind to);

/// `CAST(value AS to)`: an assignment cast, or from text and varchar the reading of `to`; then its
/// typmod as apply_explicit_typmod() does. A cast that PostgreSQL has beyond these is
/// kUnsupportedForm.
Result<core::SecretBytes> cast_explicitly(
    Type from, Type to, core::ByteView binary, const TextStyle& style
);

/// The value of type `from` as a value of `column`, if it is the same there to the last byte (no
/// length cut, no digits added); else kUnsupportedForm.
Result<core::SecretBytes> convert_unchanged(
    Type from, Type column, core::ByteView binary, const TextStyle& style
);

}  // namespace pgveil::types
