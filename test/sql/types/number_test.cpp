// Values taken from PostgreSQL 15.
#include "sql/types/codec.hpp"
#include "sql/types/convert.hpp"
#include "sql/types/searchable_form.hpp"
#include "test/sql/types/value_text.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace pgveil::types {
namespace {

const Type kNumeric = {Kind::kNumeric};
const Type kFloat4 = {Kind::kFloat4};
const Type kFloat8 = {Kind::kFloat8};

Type named(std::string_view name) {
    const auto type = parse_type_name(name);
    EXPECT_TRUE(type.has_value()) << name;
    return type.has_value() ? *type : Type{};
}

core::Bytes bytes_of(std::string_view hex) {
    return *core::from_hex(hex);
}

std::string received(Type type, std::string_view hex) {
    return hex_or_error(from_binary(type, bytes_of(hex)));
}

std::string shown(Type type, std::string_view hex, int extra_float_digits = 1) {
    TextStyle style;
    style.extra_float_digits = extra_float_digits;
    const auto text = to_text(type, bytes_of(hex), style);
    return text.has_value() ? std::string(core::as_text(text->reveal())) : text.error().sqlstate;
}

std::string searchable(std::string_view type, std::string_view hex) {
    return hex_or_error(searchable_form(named(type), bytes_of(hex)));
}

TEST(Numeric, HasTheSendFormOfPostgres) {
    EXPECT_EQ(sent(kNumeric, "10000"), "00010001000000000001");
    EXPECT_EQ(sent(kNumeric, "12345.678"), "0003000100000003000109291a7c");
    EXPECT_EQ(sent(kNumeric, "-0.00"), "0000000000000002");
    EXPECT_EQ(sent(kNumeric, "NaN"), "00000000c0000000");
    EXPECT_EQ(sent(kNumeric, "inf"), "00000000d0000020");
    EXPECT_EQ(sent(kNumeric, "-Infinity"), "00000000f0000020");
    EXPECT_EQ(sent(named("numeric(5,-2)"), "1234"), "000100000000000004b0");
}

TEST(Numeric, KeepsAThousandDigits) {
    const std::string digits = std::string(500, '7') + "." + std::string(500, '3');
    const auto value = from_text(named("numeric(1000,500)"), digits, {});
    ASSERT_TRUE(value.has_value());
    EXPECT_EQ(value->size(), 8U + 250U * 2U);
    const auto text = to_text(kNumeric, value->reveal(), {});
    ASSERT_TRUE(text.has_value());
    EXPECT_EQ(core::as_text(text->reveal()), digits);
}

TEST(Numeric, RoundsHalfAwayFromZeroAndReportsOverflow) {
    const Type money = named("numeric(10,2)");
    EXPECT_EQ(sent(money, "0.005"), sent(money, "0.01"));
    EXPECT_EQ(sent(money, "-0.005"), sent(money, "-0.01"));
    EXPECT_EQ(sent(money, "0.00499999"), sent(money, "0.00"));
    const auto error = from_text(money, "99999999.995", {});
    ASSERT_FALSE(error.has_value());
    EXPECT_EQ(error.error().sqlstate, "22003");
    EXPECT_EQ(error.error().message, "numeric field overflow");
    EXPECT_EQ(
        error.error().detail,
        "A field with precision 10, scale 2 must round to an absolute value less than 10^8."
    );
    EXPECT_EQ(
        from_text(money, "inf", {}).error().detail,
        "A field with precision 10, scale 2 cannot hold an infinite value."
    );
    EXPECT_EQ(sent(money, "NaN"), "00000000c0000000");
}

TEST(Numeric, EndsWhereTheFormatEnds) {
    EXPECT_EQ(sent(kNumeric, "1e131071").substr(0, 8), "00017fff");
    EXPECT_EQ(sent(kNumeric, "1e131072"), "22003 value overflows numeric format");
    EXPECT_EQ(sent(kNumeric, "1e-16383").substr(12, 4), "3fff");
    EXPECT_EQ(sent(kNumeric, "0e-16384"), "22003 value overflows numeric format");
    EXPECT_EQ(sent(kNumeric, "1e99999999999"), "22003 value overflows numeric format");
}

TEST(Numeric, RefusesWhatVersionsReadDifferently) {
    for (const auto* text : {"0x1F", "-0b1", "1_000", "1e 5", ".1_0"}) {
        EXPECT_TRUE(is_refused(from_text(kNumeric, text, {}))) << text;
    }
    EXPECT_EQ(sent(kNumeric, "x_1"), "22P02 invalid input syntax for type numeric: \"x_1\"");
}

TEST(Numeric, ReceivesAsPostgresDoes) {
    // Zeros at both ends go, digits behind the display scale are cut off.
    EXPECT_EQ(received(kNumeric, "0003000100000001000000050000"), "00010000000000010005");
    EXPECT_EQ(received(kNumeric, "000200000000000100010929"), "0002000000000001000107d0");
    EXPECT_EQ(received(kNumeric, "0001000040000000"), "08P01 insufficient data left in message");
    EXPECT_EQ(received(kNumeric, "00000000"), "08P01 insufficient data left in message");
    EXPECT_EQ(received(kNumeric, "000000000000000000"), "22P03 incorrect binary data format");
    EXPECT_EQ(
        received(kNumeric, "00010000000000002710"),
        "22P03 invalid digit in external \"numeric\" value"
    );
    EXPECT_EQ(
        received(kNumeric, "0000000080000000"), "22P03 invalid sign in external \"numeric\" value"
    );
    EXPECT_EQ(
        received(kNumeric, "0000000000004000"), "22P03 invalid scale in external \"numeric\" value"
    );
    EXPECT_EQ(
        received(named("numeric(3,2)"), "0001000000000000000a"), "22003 numeric field overflow"
    );
}

TEST(Numeric, ReadsAnyBytesAndKeepsWhatItAccepted) {
    std::mt19937 random(5);
    std::size_t accepted = 0;
    for (int round = 0; round < 20000; ++round) {
        // A header that is often right, then digits.
        const std::size_t digits = random() % 6;
        core::Bytes bytes = {0, static_cast<std::uint8_t>(random() % 20 == 0 ? 9 : digits)};
        const bool is_fraction = random() % 3 == 0;
        bytes.push_back(is_fraction ? 255 : 0);
        bytes.push_back(static_cast<std::uint8_t>((is_fraction ? 252 : 0) + random() % 4));
        bytes.push_back(random() % 2 == 0 ? 0x40 : 0);
        bytes.push_back(0);
        bytes.push_back(0);
        bytes.push_back(static_cast<std::uint8_t>(random() % 30));
        for (std::size_t index = 0; index < digits; ++index) {
            bytes.push_back(static_cast<std::uint8_t>(random() % 40));
            bytes.push_back(static_cast<std::uint8_t>(random()));
        }
        const auto value = from_binary(kNumeric, bytes);
        if (!value.has_value()) {
            continue;
        }
        ++accepted;
        EXPECT_EQ(hex_or_error(from_binary(kNumeric, value->reveal())), hex_or_error(value));
        const auto text = to_text(kNumeric, value->reveal(), {});
        ASSERT_TRUE(text.has_value());
        EXPECT_EQ(sent(kNumeric, core::as_text(text->reveal())), core::to_hex(value->reveal()));
    }
    EXPECT_GT(accepted, 5000U);
}

TEST(Float, WritesTheShortestDigitsAsPostgresDoes) {
    EXPECT_EQ(shown(kFloat8, "3fb999999999999a"), "0.1");
    EXPECT_EQ(shown(kFloat8, "44b52d02c7e14af6"), "9.999999999999999e+22");
    EXPECT_EQ(shown(kFloat8, "0000000000000001"), "5e-324");
    EXPECT_EQ(shown(kFloat8, "430c6bf526340000"), "1e+15");
    EXPECT_EQ(shown(kFloat8, "42d6bcc41e900000"), "100000000000000");
    EXPECT_EQ(shown(kFloat8, "3ee4f8b588e368f1"), "1e-05");
    EXPECT_EQ(shown(kFloat8, "8000000000000000"), "-0");
    EXPECT_EQ(shown(kFloat8, "fff8000000000000"), "NaN");
    EXPECT_EQ(shown(kFloat4, "7f7fffff"), "3.4028235e+38");
    EXPECT_EQ(shown(kFloat4, "49742400"), "1e+06");
    EXPECT_EQ(shown(kFloat4, "ff800000"), "-Infinity");
}

TEST(Float, HonoursExtraFloatDigits) {
    EXPECT_EQ(shown(kFloat8, "3fd3333333333334"), "0.30000000000000004");
    EXPECT_EQ(shown(kFloat8, "3fd3333333333334", 0), "0.3");
    EXPECT_EQ(shown(kFloat8, "3fc5c28f5c28f5c3", -15), "0.2");
    EXPECT_EQ(shown(kFloat4, "47f12059", 0), "123457");
}

TEST(Float, ReadsToTheLastBit) {
    EXPECT_EQ(sent(kFloat8, "4.9e-324"), "0000000000000001");
    EXPECT_EQ(
        sent(kFloat8, "2e-324"), "22003 \"2e-324\" is out of range for type double precision"
    );
    EXPECT_EQ(sent(kFloat4, "3.4028235677973365e38"), "7f7fffff");
    EXPECT_EQ(
        sent(kFloat4, "3.4028236e38"), "22003 \"3.4028236e38\" is out of range for type real"
    );
    EXPECT_EQ(sent(kFloat8, "-nan"), "fff8000000000000");
    EXPECT_EQ(sent(kFloat8, "1e"), "22P02 invalid input syntax for type double precision: \"1e\"");
    EXPECT_TRUE(is_refused(from_text(kFloat8, "0x1p3", {})));
    EXPECT_TRUE(is_refused(from_text(kFloat8, "nan(1)", {})));
}

TEST(Float, KeepsEveryBitOfABinaryValue) {
    EXPECT_EQ(received(kFloat8, "7ff800000000beef"), "7ff800000000beef");
    EXPECT_EQ(received(kFloat4, "80000000"), "80000000");
    EXPECT_EQ(received(kFloat4, "8000"), "08P01 insufficient data left in message");
}

TEST(Char, PadsCutsAndRefusesByCharacters) {
    const Type three = named("char(3)");
    EXPECT_EQ(sent(three, "日本"), core::to_hex(core::as_bytes("日本 ")));
    EXPECT_EQ(sent(three, "日本語  "), core::to_hex(core::as_bytes("日本語")));
    EXPECT_EQ(sent(three, "日本語é"), "22001 value too long for type character(3)");
    EXPECT_EQ(sent(named("char"), "ab"), "22001 value too long for type character(1)");
    EXPECT_EQ(sent(named("bpchar"), " a  "), "20612020");
    EXPECT_EQ(hex_or_error(apply_explicit_typmod(three, core::as_bytes("abcdef"))), "616263");
    EXPECT_EQ(hex_or_error(apply_explicit_typmod(three, core::as_bytes("é"))), "c3a92020");
}

TEST(Char, IsComparedWithoutBlanksAsTextIsNot) {
    const auto compared = [](Type from, std::string_view text, Type column) {
        return convert_for_comparison(from, column, core::as_bytes(text));
    };
    const Type character = {Kind::kBpchar};
    EXPECT_EQ(hex_or_error(compared(character, "ab  ", Type{Kind::kText})), "6162");
    // PostgreSQL ignores blanks at the end of the column's values here.
    EXPECT_TRUE(is_refused(compared(character, "ab", Type{Kind::kVarchar})));
    EXPECT_EQ(hex_or_error(compared(Type{Kind::kText}, "ab", named("char(3)"))), "6162");
    EXPECT_TRUE(is_refused(compared(Type{Kind::kText}, "ab ", named("char(3)"))));
}

TEST(SearchableForm, BringsEqualValuesToOneForm) {
    EXPECT_EQ(searchable("numeric(10,2)", "0001000000000000000c"), "0001000000000002000c");
    EXPECT_EQ(searchable("char(4)", "61622020"), "6162");
    EXPECT_EQ(searchable("float8", "fff800000000beef"), "7ff8000000000000");
    EXPECT_EQ(searchable("float4", "ffc00001"), "7fc00000");
    EXPECT_EQ(searchable("text", "61622020"), "61622020");
}

TEST(SearchableForm, LeavesAValueThatDoesNotFitTheScaleUnlikeAllThatDo) {
    EXPECT_EQ(searchable("numeric(10,2)", "0002000000000003000c13ba"), "0002000000000004000c13ba");
}

TEST(SearchableForm, RefusesTheNegativeZeroOfFloats) {
    for (const auto* type : {"float4", "float8"}) {
        const auto value = from_text(named(type), "-0", {});
        ASSERT_TRUE(value.has_value());
        EXPECT_TRUE(is_refused(searchable_form(named(type), value->reveal())));
        EXPECT_TRUE(searchable_form(
                        named(type),
                        convert_for_comparison(named(type), named(type), value->reveal())->reveal()
        )
                        .has_value());
    }
}

TEST(SearchableForm, PutsTheBlanksOfCharBack) {
    const auto value =
        send_form_of_stored(named("char(3)"), core::SecretBytes::copy_of(core::as_bytes("é")));
    EXPECT_EQ(hex_or_error(value), "c3a92020");
}

TEST(SearchableForm, NeedsAScaleOrALength) {
    EXPECT_FALSE(has_searchable_form(kNumeric));
    EXPECT_FALSE(has_searchable_form(Type{Kind::kBpchar}));
    EXPECT_TRUE(has_searchable_form(named("numeric(4)")));
    EXPECT_TRUE(has_searchable_form(named("char")));
}

TEST(AssociatedName, CarriesTheScaleOfASearchableNumeric) {
    EXPECT_EQ(associated_name_of(named("numeric(10,2)"), true), "numeric scale 2");
    EXPECT_EQ(associated_name_of(named("numeric(12,2)"), true), "numeric scale 2");
    EXPECT_EQ(associated_name_of(named("numeric(5,-2)"), true), "numeric scale -2");
    EXPECT_EQ(associated_name_of(named("numeric(10,2)"), false), "numeric");
    EXPECT_EQ(associated_name_of(named("char(3)"), true), "bpchar");
    EXPECT_EQ(associated_name_of(named("varchar(3)"), true), "text");
}

}  // namespace
}  // namespace pgveil::types
