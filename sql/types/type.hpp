#pragma once

#include "sql/types/error.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pgveil::types {

/// The logical types a protected column can have.
enum class Kind : std::uint32_t {
    kBool,
    kInt2,
    kInt4,
    kInt8,
    kText,
    kVarchar,
    kDate,
    kTimestamp,
    kTimestamptz,
    kUuid,
    kBytea,
    kNumeric,
    kFloat4,
    kFloat8,
    kBpchar,
    kTime,
    kTimetz,
    kInterval,
    kInet,
    kCidr,
    kJson,
    kJsonb,
};

/// Array types are kinds, too, one for each enumerator: array_of(kInt4) is int4[]. Whoever switches
/// over a kind asks is_array() first.
inline constexpr std::uint32_t kArrayBit = 0x100;

constexpr bool is_array(Kind kind) {
    return (static_cast<std::uint32_t>(kind) & kArrayBit) != 0;
}

/// Enums are kinds, too, numbered from this bit on: enum_type.hpp. Ask is_enum() before a switch.
inline constexpr std::uint32_t kEnumShift = 9;

/// An enum, or an array of one.
constexpr bool is_enum(Kind kind) {
    return static_cast<std::uint32_t>(kind) >> kEnumShift != 0;
}

/// The array type over `element`, which is none itself.
constexpr Kind array_of(Kind element) {
    return static_cast<Kind>(static_cast<std::uint32_t>(element) | kArrayBit);
}

/// What an array of this kind holds; of another kind, the kind itself.
constexpr Kind element_of(Kind kind) {
    return static_cast<Kind>(static_cast<std::uint32_t>(kind) & ~kArrayBit);
}

/// A logical type with its typmod as in pg_attribute.atttypmod: varchar(80) and char(80) have 84,
/// timestamp(3) has 3, numeric(10,2) has 655366, and -1 means none. An array has the typmod of its
/// elements.
struct Type {
    Kind kind = Kind::kText;
    std::int32_t typmod = -1;

    friend bool operator==(const Type&, const Type&) = default;
};

/// Facts of pg_type, as in PostgreSQL 14 to 18 (built-in OIDs never change). The OIDs of an enum
/// are 0 until a database has told them.
std::uint32_t oid_of(Kind kind);
std::uint32_t array_oid_of(Kind kind);
/// pg_type.typlen: the size in bytes, or -1 for a varlena; 4 for an enum, whose send form has any.
std::int16_t typlen_of(Kind kind);
/// pg_type.typcollation: 100 ("default") for text, varchar and char and their arrays, 0 for the
/// others.
std::uint32_t collation_of(Kind kind);

/// As format_type() prints it: "character varying(80)", "timestamp(3) without time zone".
std::string sql_name_of(Type type);

/// The short spelling used in the policy: "varchar(80)", "timestamp(3)", "int4".
std::string name_of(Type type);

/// The type's name in the associated data, without typmod; varchar counts as text, but
/// not in arrays: "varchar[]"; "enum" for every enum, whose name may change. Never changes.
std::string canonical_name_of(Kind kind);

/// Reads PostgreSQL's spellings, in any case and with any blanks: int, integer, int4, bigint,
/// character varying(80), timestamp (3) with time zone, numeric(10, 2), float(24), pg_catalog.int4,
/// interval day to second(3), int4[], ... `char` is char(1), bpchar is without a length.
/// A type PostgreSQL knows and we do not (yet) support is kUnsupportedForm.
Result<Type> parse_type_name(std::string_view name);

/// The type with this pg_type.typname (bpchar, not char) and these modifiers, as PostgreSQL's own
/// parser leaves it.
Result<Type> type_of_catalog_name(
    std::string_view typname, std::span<const std::int32_t> modifiers
);

/// The kind with this pg_type.oid; kUnsupportedForm for any other.
Result<Kind> kind_of_oid(std::uint32_t oid);

/// The type PostgreSQL gives an untyped literal or parameter that is *compared* with a column of
/// `column`: text for varchar, inet for cidr, and never a typmod.
Type comparison_type(Type column);

}  // namespace pgveil::types
