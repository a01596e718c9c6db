#include "sql/types/type.hpp"

#include "sql/types/enum_type.hpp"
#include "sql/types/interval_typmod.hpp"
#include "sql/types/numeric.hpp"

#include <array>

namespace pgveil::types {

namespace {

constexpr std::uint32_t kDefaultCollation = 100;
constexpr std::int32_t kLengthOffset = 4;

/// One row of pg_type, and our own two spellings.
struct Facts {
    Kind kind;
    std::uint32_t oid;
    std::uint32_t array_oid;
    std::int16_t typlen;
    std::uint32_t collation;
    std::string_view short_name;
    std::string_view canonical_name;
};

// clang-format off
constexpr std::array kFacts = {
    Facts{Kind::kBool,        16,   1000, 1,  0,                 "bool",        "bool"},
    Facts{Kind::kInt2,        21,   1005, 2,  0,                 "int2",        "int2"},
    Facts{Kind::kInt4,        23,   1007, 4,  0,                 "int4",        "int4"},
    Facts{Kind::kInt8,        20,   1016, 8,  0,                 "int8",        "int8"},
    Facts{Kind::kText,        25,   1009, -1, kDefaultCollation, "text",        "text"},
    Facts{Kind::kVarchar,     1043, 1015, -1, kDefaultCollation, "varchar",     "text"},
    Facts{Kind::kDate,        1082, 1182, 4,  0,                 "date",        "date"},
    Facts{Kind::kTimestamp,   1114, 1115, 8,  0,                 "timestamp",   "timestamp"},
    Facts{Kind::kTimestamptz, 1184, 1185, 8,  0,                 "timestamptz", "timestamptz"},
    Facts{Kind::kUuid,        2950, 2951, 16, 0,                 "uuid",        "uuid"},
    Facts{Kind::kBytea,       17,   1001, -1, 0,                 "bytea",       "bytea"},
    Facts{Kind::kNumeric,     1700, 1231, -1, 0,                 "numeric",     "numeric"},
    Facts{Kind::kFloat4,      700,  1021, 4,  0,                 "float4",      "float4"},
    Facts{Kind::kFloat8,      701,  1022, 8,  0,                 "float8",      "float8"},
    Facts{Kind::kBpchar,      1042, 1014, -1, kDefaultCollation, "bpchar",      "bpchar"},
    Facts{Kind::kTime,        1083, 1183, 8,  0,                 "time",        "time"},
    Facts{Kind::kTimetz,      1266, 1270, 12, 0,                 "timetz",      "timetz"},
    Facts{Kind::kInterval,    1186, 1187, 16, 0,                 "interval",    "interval"},
    Facts{Kind::kInet,        869,  1041, -1, 0,                 "inet",        "inet"},
    Facts{Kind::kCidr,        650,  651,  -1, 0,                 "cidr",        "cidr"},
    Facts{Kind::kJson,        114,  199,  -1, 0,                 "json",        "json"},
    Facts{Kind::kJsonb,       3802, 3807, -1, 0,                 "jsonb",       "jsonb"},
};

// clang-format on

constexpr Facts kEnumFacts = {Kind{}, 0, 0, 4, 0, "enum", "enum"};

const Facts& facts_of(Kind kind) {
    return is_enum(kind) ? kEnumFacts : kFacts.at(static_cast<std::size_t>(element_of(kind)));
}

std::string in_parentheses(std::int32_t number) {
    return "(" + std::to_string(number) + ")";
}

std::string numeric_name(Type type) {
    const auto shape = NumericShape::of_typmod(type.typmod);
    return shape ? "numeric(" + std::to_string(shape->precision) + "," +
                       std::to_string(shape->scale) + ")"
                 : "numeric";
}

std::string sql_name_of_time(std::string_view word, Type type, std::string_view zone_words) {
    const std::string precision = type.typmod >= 0 ? in_parentheses(type.typmod) : "";
    return std::string(word) + precision + std::string(zone_words);
}

std::string name_of_element(Type type) {
    if (is_enum(type.kind)) {
        return enum_name_of(enum_definition_of(type.kind));
    }
    if (type.typmod < 0) {
        return std::string(facts_of(type.kind).short_name);
    }
    if (type.kind == Kind::kNumeric) {
        return numeric_name(type);
    }
    if (type.kind == Kind::kInterval) {
        return "interval" + interval_modifiers(type.typmod);
    }
    if (type.kind == Kind::kVarchar || type.kind == Kind::kBpchar) {
        return (type.kind == Kind::kVarchar ? "varchar" : "char") +
               in_parentheses(type.typmod - kLengthOffset);
    }
    return std::string(facts_of(type.kind).short_name) + in_parentheses(type.typmod);
}

}  // namespace

std::uint32_t oid_of(Kind kind) {
    if (is_array(kind)) {
        return array_oid_of(element_of(kind));
    }
    return is_enum(kind) ? enum_identity_of(kind).oid : facts_of(kind).oid;
}

std::uint32_t array_oid_of(Kind kind) {
    return is_enum(kind) ? enum_identity_of(kind).array_oid : facts_of(kind).array_oid;
}

std::int16_t typlen_of(Kind kind) {
    return is_array(kind) ? std::int16_t{-1} : facts_of(kind).typlen;
}

std::uint32_t collation_of(Kind kind) {
    return facts_of(kind).collation;
}

std::string canonical_name_of(Kind kind) {
    // The send form of an array says which of the two its elements are, text or varchar.
    return is_array(kind) ? std::string(facts_of(kind).short_name) + "[]"
                          : std::string(facts_of(kind).canonical_name);
}

std::string name_of(Type type) {
    return is_array(type.kind) ? name_of(Type{element_of(type.kind), type.typmod}) + "[]"
                               : name_of_element(type);
}

std::string sql_name_of(Type type) {
    if (is_array(type.kind)) {
        return sql_name_of(Type{element_of(type.kind), type.typmod}) + "[]";
    }
    if (is_enum(type.kind)) {
        const std::string& shown = enum_identity_of(type.kind).shown_name;
        return shown.empty() ? name_of(type) : shown;
    }
    switch (type.kind) {
        case Kind::kBool: return "boolean";
        case Kind::kInt2: return "smallint";
        case Kind::kInt4: return "integer";
        case Kind::kInt8: return "bigint";
        case Kind::kVarchar:
            return "character varying" +
                   (type.typmod >= 0 ? in_parentheses(type.typmod - kLengthOffset) : "");
        case Kind::kBpchar:
            return type.typmod >= 0 ? "character" + in_parentheses(type.typmod - kLengthOffset)
                                    : "bpchar";
        case Kind::kNumeric: return numeric_name(type);
        case Kind::kFloat4: return "real";
        case Kind::kFloat8: return "double precision";
        case Kind::kTimestamp: return sql_name_of_time("timestamp", type, " without time zone");
        case Kind::kTimestamptz: return sql_name_of_time("timestamp", type, " with time zone");
        case Kind::kTime: return sql_name_of_time("time", type, " without time zone");
        case Kind::kTimetz: return sql_name_of_time("time", type, " with time zone");
        case Kind::kInterval:
        case Kind::kText:
        case Kind::kDate:
        case Kind::kUuid:
        case Kind::kBytea:
        case Kind::kInet:
        case Kind::kCidr:
        case Kind::kJson:
        case Kind::kJsonb: break;
    }
    return name_of(type);
}

Result<Kind> kind_of_oid(std::uint32_t oid) {
    for (const Facts& facts : kFacts) {
        if (facts.oid == oid) {
            return facts.kind;
        }
        if (facts.array_oid == oid) {
            return array_of(facts.kind);
        }
    }
    return unsupported_form(
        "values of the type with OID " + std::to_string(oid) + " cannot be sealed",
        "Use one of: bool, int2, int4, int8, text, varchar, date, timestamp, timestamptz, uuid, "
        "bytea, numeric, float4, float8, char, time, timetz, interval, inet, cidr, json, jsonb, "
        "and "
        "arrays of them."
    );
}

Type comparison_type(Type column) {
    if (column.kind == Kind::kVarchar) {
        return Type{Kind::kText};
    }
    return Type{column.kind == Kind::kCidr ? Kind::kInet : column.kind};
}

}  // namespace pgveil::types
