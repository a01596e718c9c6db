// What the fixture of a real server cannot ask: binary forms that are wrong, casts between types,
// limits of our own.
#include "sql/types/codec.hpp"
#include "sql/types/convert.hpp"
#include "sql/types/json_text.hpp"
#include "sql/types/searchable_form.hpp"
#include "test/sql/types/test_zones.hpp"
#include "test/sql/types/value_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::types {
namespace {

Type type_named(std::string_view name) {
    const auto type = parse_type_name(name);
    EXPECT_TRUE(type.has_value()) << name;
    return type.has_value() ? *type : Type{};
}

/// The send form of a value that came in binary, in hex or as an error.
std::string received(std::string_view type, std::string_view hex) {
    const auto bytes = core::from_hex(hex);
    EXPECT_TRUE(bytes.has_value()) << hex;
    return hex_or_error(from_binary(type_named(type), *bytes));
}

/// `text` as a value of `from`, assigned to a column of `to`, as text.
std::string assigned(std::string_view from, std::string_view text, std::string_view to) {
    const TestZones zones;
    TextStyle style;
    style.zone = zones.find("Europe/Berlin");
    const auto value = from_text(type_named(from), text, style);
    EXPECT_TRUE(value.has_value()) << text;
    const auto cast =
        convert_for_assignment(type_named(from), type_named(to), value->reveal(), style);
    if (!cast.has_value()) {
        return cast.error().sqlstate;
    }
    const auto shown = to_text(type_named(to), cast->reveal(), style);
    return shown.has_value() ? std::string(core::as_text(shown->reveal())) : "not shown";
}

TEST(LaterTypes, WrongBinaryFormsAreErrors) {
    EXPECT_EQ(received("time", "ffffffffffffffff"), "22008 time out of range");
    EXPECT_EQ(received("time", "000000141dd76001"), "22008 time out of range");
    EXPECT_EQ(received("time(0)", "000000000007a120"), "00000000000f4240");
    EXPECT_EQ(
        received("timetz", "00000000000000000000e100"), "22009 time zone displacement out of range"
    );
    EXPECT_EQ(received("interval", "00"), "08P01 insufficient data left in message");
    EXPECT_EQ(
        received("interval(0)", "000000000007a1200000000100000002"),
        "00000000000f42400000000100000002"
    );
    EXPECT_EQ(received("interval", "7fffffffffffffff7fffffff7fffffff").substr(0, 5), "0A000");
    EXPECT_EQ(received("inet", "0220010401020304"), "0220000401020304");
    EXPECT_EQ(received("cidr", "0220000401020304"), "0220010401020304");
    EXPECT_EQ(received("cidr", "0208010401020304"), "22P03 invalid external \"cidr\" value");
    EXPECT_EQ(received("inet", "0421000401020304").substr(0, 28), "22P03 invalid address family");
    EXPECT_EQ(received("inet", "02210004"), "22P03 invalid bits in external \"inet\" value");
    EXPECT_EQ(received("inet", "02200005"), "22P03 invalid length in external \"inet\" value");
    EXPECT_EQ(received("inet", "022000040102"), "08P01 insufficient data left in message");
    EXPECT_EQ(received("jsonb", "027b7d"), "XX000 unsupported jsonb version number 2");
    EXPECT_EQ(received("jsonb", "017b2022612220203a317d"), "017b2261223a20317d");
    EXPECT_EQ(received("json", "ff"), "22021 invalid byte sequence for encoding \"UTF8\": 0xff");
}

TEST(LaterTypes, AClockThatOverflowsIsAnError) {
    const auto read = [](const char* text) {
        return hex_or_error(from_text(type_named("interval"), text, TextStyle())).substr(0, 5);
    };
    EXPECT_EQ(read("-04266666666666666662:."), "22007");
    EXPECT_EQ(read("4266666666666666662:00.5"), "22015");
    EXPECT_EQ(read("9223372036854775807:59.5"), "22015");
    EXPECT_EQ(read("9223372036854775807:59:60"), "22015");
}

TEST(LaterTypes, WrongArraysAreErrors) {
    const std::string head = "000000010000000000000017";
    const std::string one = head + "0000000100000001";
    EXPECT_EQ(received("int4[]", one + "0000000400000007"), one + "0000000400000007");
    EXPECT_EQ(
        received("int4[]", "00000000000000000000001700"), "22P03 incorrect binary data format"
    );
    EXPECT_EQ(received("int4[]", "0000000000000000"), "08P01 insufficient data left in message");
    EXPECT_EQ(received("int4[]", one), "08P01 insufficient data left in message");
    EXPECT_EQ(received("int4[]", one + "00000009"), "22P03 insufficient data left in message");
    EXPECT_EQ(received("int4[]", "000000010000000200000017"), "22P03 invalid array flags");
    EXPECT_EQ(
        received("int4[]", "ffffffff0000000000000017"), "22P03 invalid number of dimensions: -1"
    );
    EXPECT_EQ(received("int4[]", "000000070000000000000017").substr(0, 5), "54000");
    EXPECT_EQ(received("int4[]", head + "7fffffff00000001").substr(0, 5), "54000");
    EXPECT_EQ(
        received("int4[]", "000000000000000000000019"),
        "42804 binary data has array element type 25 (text) instead of expected 23 (integer)"
    );
    // Without elements there are no dimensions, and the flag is what the elements are.
    EXPECT_EQ(received("int4[]", head + "0000000000000001"), "000000000000000000000017");
    EXPECT_EQ(
        received("int4[]", one + "ffffffff"), "0000000100000001000000170000000100000001ffffffff"
    );
}

TEST(LaterTypes, NullInAnArrayIsAWordWhileArrayNullsIsOff) {
    TextStyle style;
    style.array_nulls = false;
    EXPECT_EQ(
        sent(type_named("text[]"), "{NULL,null}", style),
        sent(type_named("text[]"), "{\"NULL\",\"null\"}")
    );
    EXPECT_EQ(
        sent(type_named("int4[]"), "{NULL}", style),
        "22P02 invalid input syntax for type integer: \"NULL\""
    );
}

TEST(LaterTypes, AssignmentCasts) {
    EXPECT_EQ(assigned("time", "10:00", "interval"), "10:00:00");
    EXPECT_EQ(assigned("interval", "-1 hour", "time"), "23:00:00");
    EXPECT_EQ(assigned("interval", "26:00:00.06", "time(1)"), "02:00:00.1");
    EXPECT_EQ(assigned("timetz", "10:00+05", "time"), "10:00:00");
    EXPECT_EQ(assigned("timestamp", "1999-01-08 04:05:06", "time"), "04:05:06");
    EXPECT_EQ(assigned("timestamptz", "2024-07-01 10:00+00", "timetz"), "12:00:00+02");
    EXPECT_EQ(assigned("timestamp", "infinity", "time"), "0A000");
    EXPECT_EQ(assigned("time", "10:00", "timetz"), "0A000");  // today's offset
    EXPECT_EQ(assigned("inet", "10.1.2.3/8", "cidr"), "10.0.0.0/8");
    EXPECT_EQ(assigned("inet", "10.1.2.3", "text"), "10.1.2.3/32");
    EXPECT_EQ(assigned("inet", "::1", "text"), "::1/128");
    EXPECT_EQ(assigned("json", R"({"b": 1, "a" :2})", "jsonb"), R"({"a": 2, "b": 1})");
    EXPECT_EQ(assigned("jsonb", R"({"b": 1, "a" :2})", "json"), R"({"a": 2, "b": 1})");
    EXPECT_EQ(assigned("int4[]", "{1,NULL}", "int8[]"), "{1,NULL}");
    EXPECT_EQ(assigned("int4[]", "{70000}", "int2[]"), "22003");
    EXPECT_EQ(assigned("text[]", "{abcd}", "varchar(3)[]"), "22001");
    EXPECT_EQ(assigned("int4[]", "{1,2}", "text"), "{1,2}");
    EXPECT_EQ(assigned("text[]", "{1}", "int4[]"), "0A000");
}

TEST(LaterTypes, AnExplicitCastCutsEveryElement) {
    const auto array = from_text(type_named("varchar[]"), "{abcd,x}", {});
    const auto cut = apply_explicit_typmod(type_named("varchar(2)[]"), array->reveal());
    const auto shown = to_text(type_named("varchar(2)[]"), cut->reveal(), {});
    EXPECT_EQ(core::as_text(shown->reveal()), "{ab,x}");
}

TEST(LaterTypes, AddressesOfBothTypesAreCompared) {
    const auto compared = [](std::string_view from, std::string_view text, std::string_view column
                          ) {
        const auto value = from_text(type_named(from), text, {});
        return hex_or_error(
            convert_for_comparison(type_named(from), type_named(column), value->reveal())
        );
    };
    EXPECT_EQ(compared("inet", "10.0.0.0/8", "cidr"), sent(type_named("cidr"), "10.0.0.0/8"));
    EXPECT_EQ(compared("cidr", "10.0.0.0/8", "inet"), sent(type_named("inet"), "10.0.0.0/8"));
    EXPECT_EQ(compared("inet", "10.0.0.1/8", "cidr").substr(0, 5), "0A000");
}

TEST(LaterTypes, ATimetzTakesAnOffsetThatLasts) {
    const TestZones zones;
    TextStyle style;
    EXPECT_EQ(sent(type_named("timetz"), "10:00", style).substr(0, 5), "0A000");
    style.zone = zones.find("Europe/Berlin");
    EXPECT_EQ(sent(type_named("timetz"), "10:00", style).substr(0, 5), "0A000");
    style.zone = zones.find("Asia/Kolkata");
    EXPECT_EQ(
        sent(type_named("timetz"), "10:00", style), sent(type_named("timetz"), "10:00+05:30", style)
    );
}

TEST(LaterTypes, DeepJsonIsRefused) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_TRUE(check_json(nested(kJsonDepthMax)).has_value());
    EXPECT_TRUE(normalised_json(nested(kJsonDepthMax)).has_value());
    EXPECT_EQ(check_json(nested(kJsonDepthMax + 2)).error().sqlstate, "0A000");
    EXPECT_EQ(check_json(std::string(100000, '[')).error().sqlstate, "0A000");
}

TEST(LaterTypes, OnlySomeCanBeSearched) {
    for (const auto* name : {"time", "timetz", "inet", "cidr"}) {
        EXPECT_TRUE(has_searchable_form(type_named(name))) << name;
    }
    for (const auto* name : {"interval", "json", "jsonb", "int4[]", "text[]", "char(3)[]"}) {
        EXPECT_FALSE(has_searchable_form(type_named(name))) << name;
    }
}

}  // namespace
}  // namespace pgveil::types
