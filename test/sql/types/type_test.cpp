#include "sql/types/type.hpp"

#include "sql/types/style.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace pgveil::types {
namespace {

constexpr std::array kKinds = {Kind::kBool,        Kind::kInt2,     Kind::kInt4,   Kind::kInt8,
                               Kind::kText,        Kind::kVarchar,  Kind::kDate,   Kind::kTimestamp,
                               Kind::kTimestamptz, Kind::kUuid,     Kind::kBytea,  Kind::kNumeric,
                               Kind::kFloat4,      Kind::kFloat8,   Kind::kBpchar, Kind::kTime,
                               Kind::kTimetz,      Kind::kInterval, Kind::kInet,   Kind::kCidr,
                               Kind::kJson,        Kind::kJsonb};

std::string canonical(std::string_view name) {
    const auto type = parse_type_name(name);
    return type.has_value() ? name_of(*type) : type.error().sqlstate;
}

TEST(TypeName, ReadsEverySpellingOfPostgreSql) {
    EXPECT_EQ(canonical("int"), "int4");
    EXPECT_EQ(canonical(" INTEGER "), "int4");
    EXPECT_EQ(canonical("pg_catalog.int8"), "int8");
    EXPECT_EQ(canonical("smallint"), "int2");
    EXPECT_EQ(canonical("Character  Varying ( 80 )"), "varchar(80)");
    EXPECT_EQ(canonical("char varying(3)"), "varchar(3)");
    EXPECT_EQ(canonical("timestamp (3) with time zone"), "timestamptz(3)");
    EXPECT_EQ(canonical("timestamp with time zone"), "timestamptz");
    EXPECT_EQ(canonical("timestamp(0) without time zone"), "timestamp(0)");
    EXPECT_EQ(canonical("boolean"), "bool");
    EXPECT_EQ(canonical("decimal ( 10 , -2 )"), "numeric(10,-2)");
    EXPECT_EQ(canonical("dec(5)"), "numeric(5,0)");
    EXPECT_EQ(canonical("numeric"), "numeric");
    EXPECT_EQ(canonical("real"), "float4");
    EXPECT_EQ(canonical("DOUBLE  precision"), "float8");
    EXPECT_EQ(canonical("float"), "float8");
    EXPECT_EQ(canonical("float(24)"), "float4");
    EXPECT_EQ(canonical("float(25)"), "float8");
    EXPECT_EQ(canonical("char"), "char(1)");
    EXPECT_EQ(canonical("national character(7)"), "char(7)");
    EXPECT_EQ(canonical("nchar(2)"), "char(2)");
    EXPECT_EQ(canonical("bpchar"), "bpchar");
    EXPECT_EQ(canonical("time (3) without time zone"), "time(3)");
    EXPECT_EQ(canonical("time with time zone"), "timetz");
    EXPECT_EQ(canonical("Interval"), "interval");
    EXPECT_EQ(canonical("interval(3)"), "interval(3)");
    EXPECT_EQ(canonical("interval day TO second (2)"), "interval day to second(2)");
    EXPECT_EQ(canonical("interval year to month"), "interval year to month");
    EXPECT_EQ(canonical("JSONB"), "jsonb");
}

TEST(TypeName, ReadsArrays) {
    EXPECT_EQ(canonical("int[]"), "int4[]");
    EXPECT_EQ(canonical("varchar(10) [ ]"), "varchar(10)[]");
    EXPECT_EQ(canonical("numeric(10,2)[][3]"), "numeric(10,2)[]");
    EXPECT_EQ(canonical("text array"), "text[]");
    EXPECT_EQ(canonical("int4 array[4]"), "int4[]");
    EXPECT_EQ(canonical("timestamp(3) with time zone[]"), "timestamptz(3)[]");
    EXPECT_EQ(parse_type_name("varchar(10)[]")->typmod, 14);
    EXPECT_EQ(sql_name_of(*parse_type_name("varchar(10)[]")), "character varying(10)[]");
    EXPECT_EQ(canonical("xml[]"), "0A000");
    EXPECT_EQ(canonical("[]"), "0A000");
    EXPECT_EQ(canonical("int4]"), "0A000");
}

TEST(TypeName, ReadsWhatPostgresParserLeaves) {
    const auto shown = [](std::string_view name, std::vector<std::int32_t> modifiers) {
        const auto type = type_of_catalog_name(name, modifiers);
        return type.has_value() ? name_of(*type) : type.error().sqlstate;
    };
    EXPECT_EQ(shown("bpchar", {3}), "char(3)");
    EXPECT_EQ(shown("bpchar", {}), "bpchar");
    EXPECT_EQ(shown("numeric", {10, 2}), "numeric(10,2)");
    EXPECT_EQ(shown("interval", {0x7FFF, 3}), "interval(3)");
    EXPECT_EQ(shown("interval", {0x1C08}), "interval day to second");
    EXPECT_EQ(shown("interval", {0x1C08, 2}), "interval day to second(2)");
    EXPECT_EQ(shown("interval", {5}), "22023");
    // The quoted type "char" is another one, of one byte.
    EXPECT_EQ(shown("char", {}), "0A000");
}

TEST(TypeName, KeepsTheTypmodOfPgAttribute) {
    EXPECT_EQ(parse_type_name("varchar(80)")->typmod, 84);
    EXPECT_EQ(parse_type_name("timestamp(3)")->typmod, 3);
    EXPECT_EQ(parse_type_name("text")->typmod, -1);
    EXPECT_EQ(parse_type_name("char(5)")->typmod, 9);
    EXPECT_EQ(parse_type_name("numeric(10,2)")->typmod, 655366);
    EXPECT_EQ(parse_type_name("decimal(6,-2)")->typmod, 395266);
    EXPECT_EQ(parse_type_name("time(2)")->typmod, 2);
    EXPECT_EQ(parse_type_name("interval(3)")->typmod, 0x7FFF0003);
    EXPECT_EQ(parse_type_name("interval year")->typmod, 0x0004FFFF);
}

TEST(TypeName, RefusesWhatCannotBeSealedYet) {
    for (const auto* name :
         {"xml",
          "money[]",
          "interval second to day",
          "interval day(3)",
          "colour",
          "",
          "varchar(",
          "varchar(x)"}) {
        EXPECT_EQ(canonical(name), "0A000") << name;
    }
}

TEST(TypeName, RefusesModifiersThatPostgreSqlRefuses) {
    EXPECT_EQ(canonical("varchar(0)"), "22023");
    EXPECT_EQ(canonical("varchar(10485761)"), "22023");
    EXPECT_EQ(canonical("timestamp(7)"), "22023");
    EXPECT_EQ(canonical("int4(3)"), "42601");
    EXPECT_EQ(canonical("float8(3)"), "42601");
    EXPECT_EQ(canonical("char(0)"), "22023");
    EXPECT_EQ(canonical("numeric(1001)"), "22023");
    EXPECT_EQ(canonical("numeric(10,1001)"), "22023");
    EXPECT_EQ(canonical("numeric(10,2,1)"), "22023");
    EXPECT_EQ(canonical("float(54)"), "22023");
    EXPECT_EQ(canonical("time(7)"), "22023");
    EXPECT_EQ(canonical("interval(7)"), "22023");
    EXPECT_EQ(canonical("jsonb(3)"), "42601");
}

TEST(Type, OidsLeadBackToTheKind) {
    for (const Kind kind : kKinds) {
        EXPECT_EQ(*kind_of_oid(oid_of(kind)), kind);
        EXPECT_NE(oid_of(kind), array_oid_of(kind));
        EXPECT_EQ(canonical(name_of(Type{kind})), name_of(Type{kind}));
        EXPECT_EQ(canonical(sql_name_of(Type{kind})), name_of(Type{kind}));
        const Kind array = array_of(kind);
        EXPECT_TRUE(is_array(array) && !is_array(kind));
        EXPECT_EQ(element_of(array), kind);
        EXPECT_EQ(oid_of(array), array_oid_of(kind));
        EXPECT_EQ(*kind_of_oid(oid_of(array)), array);
        EXPECT_EQ(canonical(name_of(Type{array})), name_of(Type{array}));
    }
    EXPECT_FALSE(kind_of_oid(600).has_value());  // point
}

TEST(Type, VarcharCountsAsTextInTheAssociatedData) {
    EXPECT_EQ(canonical_name_of(Kind::kVarchar), canonical_name_of(Kind::kText));
    EXPECT_NE(canonical_name_of(Kind::kTimestamp), canonical_name_of(Kind::kTimestamptz));
    // The element's OID stands in the value.
    EXPECT_EQ(canonical_name_of(array_of(Kind::kVarchar)), "varchar[]");
}

TEST(Type, ComparedLiteralsHaveNoLengthLimit) {
    EXPECT_EQ(comparison_type(*parse_type_name("varchar(3)")), Type{Kind::kText});
    EXPECT_EQ(comparison_type(*parse_type_name("timestamp(0)")), Type{Kind::kTimestamp});
    EXPECT_EQ(comparison_type(Type{Kind::kCidr}), Type{Kind::kInet});
}

TEST(TextStyle, ReadsParameterStatusValues) {
    TextStyle style;
    ASSERT_TRUE(set_date_style(style, "German, DMY").has_value());
    EXPECT_EQ(style.date_style, DateStyle::kGerman);
    EXPECT_EQ(style.date_order, DateOrder::kDmy);
    ASSERT_TRUE(set_bytea_output(style, "escape").has_value());
    EXPECT_EQ(style.bytea_output, ByteaOutput::kEscape);
    ASSERT_TRUE(set_extra_float_digits(style, "-15").has_value());
    EXPECT_EQ(style.extra_float_digits, -15);
    ASSERT_TRUE(set_interval_style(style, "iso_8601").has_value());
    EXPECT_EQ(style.interval_style, IntervalStyle::kIso8601);
    EXPECT_FALSE(set_interval_style(style, "iso").has_value());
}

TEST(TextStyle, LeavesTheStyleAloneWhenAWordIsUnknown) {
    TextStyle style;
    EXPECT_FALSE(set_date_style(style, "SQL, XYZ").has_value());
    EXPECT_EQ(style.date_style, DateStyle::kIso);
    EXPECT_FALSE(set_bytea_output(style, "base64").has_value());
    EXPECT_FALSE(set_extra_float_digits(style, "4").has_value());
    EXPECT_FALSE(set_extra_float_digits(style, "many").has_value());
    EXPECT_EQ(style.extra_float_digits, 1);
}

}  // namespace
}  // namespace pgveil::types
