#include "sql/types/order_form.hpp"

#include "sql/types/codec.hpp"
#include "sql/types/convert.hpp"
#include "sql/types/searchable_form.hpp"
#include "sql/types/style.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace pgveil::types {
namespace {

constexpr std::uint32_t kOrderBytes = 8;

Type type_named(std::string_view name) {
    const auto type = parse_type_name(name);
    EXPECT_TRUE(type.has_value()) << name;
    return type.has_value() ? *type : Type{};
}

Result<core::SecretBytes> form_of(Type type, std::string_view text) {
    const auto value = from_text(Type{type.kind, -1}, text, {});
    if (!value.has_value()) {
        return value.error();
    }
    const auto compared = convert_for_comparison(Type{type.kind}, type, value->reveal());
    if (!compared.has_value()) {
        return compared.error();
    }
    const auto stored = searchable_form(type, compared->reveal());
    return stored.has_value() ? order_form(type, kOrderBytes, stored->reveal()) : stored.error();
}

std::string hex_of(std::string_view type, std::string_view text) {
    const auto form = form_of(type_named(type), text);
    EXPECT_TRUE(form.has_value()) << type << ' ' << text << ": " << form.error().message;
    return form.has_value() ? core::to_hex(form->reveal()) : std::string();
}

std::string state_of(std::string_view type, std::string_view text) {
    const auto form = form_of(type_named(type), text);
    return form.has_value() ? "no error" : form.error().sqlstate;
}

struct Ascending {
    std::string_view type;
    std::vector<std::string_view> values;
};

/// In the order in which PostgreSQL 15 returns them.
const std::vector<Ascending> kAscending = {
    {"int2", {"-32768", "-32767", "-256", "-1", "0", "1", "255", "256", "32767"}},
    {"int4", {"-2147483648", "-2147483647", "-65536", "-1", "0", "1", "65536", "2147483647"}},
    {"int8",
     {"-9223372036854775808", "-4294967296", "-1", "0", "1", "4294967296", "9223372036854775807"}},
    {"date",
     {"-infinity",
      "4713-01-01 BC",
      "0001-12-31 BC",
      "0001-01-01",
      "1999-12-31",
      "2000-01-01",
      "2000-01-02",
      "5874897-12-31",
      "infinity"}},
    {"timestamp",
     {"-infinity",
      "4713-01-01 00:00:00 BC",
      "1999-12-31 23:59:59.999999",
      "2000-01-01",
      "2000-01-01 00:00:00.000001",
      "294276-12-31 23:59:59.999999",
      "infinity"}},
    {"timestamp(3)", {"-infinity", "1970-01-01", "2024-02-29 12:00:00.0004", "infinity"}},
    {"timestamptz",
     {"-infinity",
      "2000-01-01 00:00+05",
      "2000-01-01 00:00+00",
      "2000-01-01 00:00-05",
      "infinity"}},
    {"time", {"00:00", "00:00:00.000001", "11:59:59.999999", "12:00", "23:59:59.999999", "24:00"}},
    {"time(0)", {"00:00", "00:00:01", "24:00"}},
    // By the instant in UTC, then the zone from east to west.
    {"timetz",
     {"00:00+15:59:59",
      "00:00+15",
      "12:00:00+02",
      "10:00:00+00",
      "08:00:00-02",
      "10:00:00.000001+00",
      "24:00:00-15:59:59"}},
    {"float4",
     {"-Infinity",
      "-3.4028235e38",
      "-1.5",
      "-1e-45",
      "0",
      "1e-45",
      "1.17549435e-38",
      "1.5",
      "3.4028235e38",
      "Infinity",
      "NaN"}},
    {"float8",
     {"-Infinity",
      "-1.7976931348623157e308",
      "-2",
      "-1",
      "-5e-324",
      "0",
      "5e-324",
      "2.2250738585072014e-308",
      "1",
      "1.0000000000000002",
      "1.7976931348623157e308",
      "Infinity",
      "NaN"}},
    {"numeric(38,0)",
     {"-99999999999999999999999999999999999999",
      "-10000",
      "-9999",
      "-1",
      "0",
      "1",
      "9999",
      "10000",
      "99999999999999999999999999999999999999",
      "NaN"}},
    {"numeric(10,2)",
     {"-99999999.99",
      "-1.01",
      "-1",
      "-0.99",
      "-0.01",
      "0",
      "0.01",
      "0.1",
      "0.99",
      "1",
      "1.01",
      "99999999.99",
      "NaN"}},
    {"numeric(5,-2)", {"-9999900", "-100", "0", "100", "9999900", "NaN"}},
    {"numeric(3,5)", {"-0.00999", "-0.00001", "0", "0.00001", "0.00999"}},
    {"numeric(38,38)",
     {"-0.99999999999999999999999999999999999999",
      "0",
      "0.00000000000000000000000000000000000001"}},
    {"text", {"", " ", "A", "Z", "a", "a ", "aa", "ab", "b", "\xc3\xa9", "\xf0\x9f\x98\x80"}},
    {"varchar(5)", {"", "A", "a", "a ", "b"}},
    {"char(5)", {"", "A", "a", "ab", "b"}},
    {"bytea",
     {"\\x",
      "\\x00",
      "\\x0000",
      "\\x0001",
      "\\x01",
      "\\x0100",
      "\\x7f",
      "\\x80",
      "\\xff",
      "\\xffffffffffffffff"}},
};

TEST(OrderForm, HasTheOrderOfPostgres) {
    for (const Ascending& list : kAscending) {
        for (std::size_t i = 0; i < list.values.size(); ++i) {
            for (std::size_t j = 0; j < list.values.size(); ++j) {
                EXPECT_EQ(
                    hex_of(list.type, list.values[i]) <=> hex_of(list.type, list.values[j]), i <=> j
                ) << list.type
                  << ": " << list.values[i] << ", " << list.values[j];
            }
        }
    }
}

TEST(OrderForm, HasOneSizePerType) {
    for (const Ascending& list : kAscending) {
        const std::size_t size = order_form_size(type_named(list.type), kOrderBytes);
        for (const std::string_view value : list.values) {
            EXPECT_EQ(hex_of(list.type, value).size(), 2 * size) << list.type << ' ' << value;
        }
    }
}

TEST(OrderForm, IsAsDocumented) {
    EXPECT_EQ(hex_of("int4", "1"), "80000001");
    EXPECT_EQ(hex_of("int2", "-1"), "7fff");
    EXPECT_EQ(hex_of("date", "-infinity"), "00000000");
    EXPECT_EQ(hex_of("float8", "1"), "bff0000000000000");
    EXPECT_EQ(hex_of("float8", "-1"), "400fffffffffffff");
    EXPECT_EQ(hex_of("float4", "NaN"), "ffc00000");
    EXPECT_EQ(hex_of("numeric(8,2)", "1.5"), "80000000000000000000000000000096");
    EXPECT_EQ(hex_of("numeric(8,2)", "-0.01"), "7fffffffffffffffffffffffffffffff");
    EXPECT_EQ(hex_of("numeric(8,2)", "NaN"), "ffffffffffffffffffffffffffffffff");
    EXPECT_EQ(hex_of("time", "00:00:00.000001"), "8000000000000001");
    EXPECT_EQ(hex_of("timetz", "00:00+01"), "7fffffff296c5c007ffff1f0");
    EXPECT_EQ(hex_of("text", "ab"), "6162000000000000");
    EXPECT_EQ(hex_of("char(5)", "ab"), "6162000000000000");
    EXPECT_EQ(hex_of("bytea", "\\x6162"), "61620000000000000002");
}

TEST(OrderForm, EqualValuesHaveOne) {
    EXPECT_EQ(hex_of("numeric(8,2)", "1.5"), hex_of("numeric(8,2)", "1.500"));
    EXPECT_EQ(hex_of("float8", "0"), hex_of("float8", "-0"));
    EXPECT_EQ(
        hex_of("timestamptz", "2000-01-01 00:00+00"), hex_of("timestamptz", "2000-01-01 01:00+01")
    );
    EXPECT_EQ(hex_of("char(5)", "ab"), hex_of("char(5)", "ab  "));
}

TEST(OrderForm, NothingIsCutOff) {
    EXPECT_EQ(state_of("text", "12345678"), "no error");
    EXPECT_EQ(state_of("text", "123456789"), "22001");
    EXPECT_EQ(state_of("bytea", "\\x010203040506070809"), "22001");
    EXPECT_EQ(state_of("numeric(8,2)", "1.005"), "0A000");
    EXPECT_EQ(state_of("numeric(5,-2)", "150"), "0A000");
    EXPECT_EQ(state_of("numeric(8,2)", "Infinity"), "0A000");
    EXPECT_EQ(state_of("numeric(8,2)", "-Infinity"), "0A000");
    EXPECT_EQ(state_of("numeric(38,0)", "100000000000000000000000000000000000000"), "0A000");
    EXPECT_EQ(state_of("numeric(8,2)", "1e131071"), "0A000");
    EXPECT_EQ(state_of("numeric(8,2)", "1e-16383"), "0A000");
}

TEST(OrderForm, IsThereForTheTypesOfTheScheme) {
    for (const std::string_view none :
         {"bool",
          "uuid",
          "interval",
          "inet",
          "cidr",
          "json",
          "jsonb",
          "int4[]",
          "numeric",
          "numeric(39,0)",
          "numeric(1000,2)",
          "bpchar"}) {
        EXPECT_FALSE(has_order_form(type_named(none))) << none;
    }
    for (const Ascending& list : kAscending) {
        EXPECT_TRUE(has_order_form(type_named(list.type))) << list.type;
    }
    EXPECT_TRUE(is_ordered_by_collation(Kind::kBpchar));
    EXPECT_FALSE(is_ordered_by_collation(Kind::kBytea));
}

/// An entry of a btree has at most 2704 bytes (PostgreSQL, "B-Tree Indexes").
TEST(OrderForm, EveryEnvelopeFitsIntoABtree) {
    constexpr std::size_t kBtreeEntryMax = 2704;
    constexpr std::size_t kItemOverhead = 64;  // headers, alignment
    constexpr std::size_t kEnvelope = 22;
    constexpr std::uint32_t kOrderBytesMax = 128;
    constexpr std::size_t kLongestNumeric = 8 + 2 * 12;
    for (const Ascending& list : kAscending) {
        const std::size_t tag = 8 * order_form_size(type_named(list.type), kOrderBytesMax);
        const std::size_t plaintext = std::max<std::size_t>(kOrderBytesMax, kLongestNumeric);
        EXPECT_LT(kEnvelope + tag + plaintext + kItemOverhead, kBtreeEntryMax) << list.type;
    }
}

}  // namespace
}  // namespace pgveil::types
