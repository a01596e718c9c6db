#include "sql/types/codec.hpp"

#include "sql/types/convert.hpp"
#include "sql/types/time_zone.hpp"
#include "test/sql/types/value_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::types {
namespace {

const Type kVarchar3 = {Kind::kVarchar, 7};

core::Bytes bytes_of(std::string_view hex) {
    return *core::from_hex(hex);
}

std::string shown(Type type, std::string_view hex, const TextStyle& style = {}) {
    const auto text = to_text(type, bytes_of(hex), style);
    return text.has_value() ? std::string(core::as_text(text->reveal())) : text.error().sqlstate;
}

TEST(FromText, RefusesBytesThatAreNotUtf8InEveryType) {
    for (const Kind kind : {Kind::kText, Kind::kInt4, Kind::kDate, Kind::kBytea}) {
        EXPECT_EQ(
            sent(Type{kind}, "a\xff"), "22021 invalid byte sequence for encoding \"UTF8\": 0xff"
        );
    }
    EXPECT_EQ(
        sent(Type{Kind::kText}, "\xc0\x80"),
        "22021 invalid byte sequence for encoding \"UTF8\": 0xc0 0x80"
    );
    EXPECT_EQ(
        sent(Type{Kind::kText}, "\xed\xa0\x80"),
        "22021 invalid byte sequence for encoding \"UTF8\": 0xed 0xa0 0x80"
    );
    EXPECT_EQ(
        sent(Type{Kind::kText}, std::string_view("\0", 1)),
        "22021 invalid byte sequence for encoding \"UTF8\": 0x00"
    );
    EXPECT_EQ(sent(Type{Kind::kText}, "\xf0\x9f\x98\x80"), "f09f9880");
}

TEST(FromText, VarcharDropsOnlyExcessBlanks) {
    EXPECT_EQ(sent(kVarchar3, "abc  "), "616263");
    EXPECT_EQ(sent(kVarchar3, "abcd"), "22001 value too long for type character varying(3)");
    EXPECT_EQ(sent(kVarchar3, "äöü"), "c3a4c3b6c3bc");
    EXPECT_EQ(sent(kVarchar3, ""), "");
}

TEST(FromText, RefusesIntegerFormsThatOnlyNewerServersRead) {
    for (const auto* text : {"0x1F", "0b1", "0o7", "1_000"}) {
        EXPECT_TRUE(is_refused(from_text(Type{Kind::kInt4}, text, {}))) << text;
    }
}

TEST(FromBinary, ChecksTheSizeOfFixedTypes) {
    EXPECT_EQ(
        hex_or_error(from_binary(Type{Kind::kInt4}, bytes_of("000001"))),
        "08P01 insufficient data left in message"
    );
    EXPECT_EQ(
        hex_or_error(from_binary(Type{Kind::kInt4}, bytes_of("0000000100"))),
        "22P03 incorrect binary data format"
    );
    EXPECT_EQ(
        hex_or_error(from_binary(Type{Kind::kUuid}, {})), "08P01 insufficient data left in message"
    );
}

TEST(FromBinary, BringsValuesIntoSendForm) {
    EXPECT_EQ(hex_or_error(from_binary(Type{Kind::kBool}, bytes_of("7f"))), "01");
    EXPECT_EQ(
        hex_or_error(from_binary(Type{Kind::kTimestamp, 0}, bytes_of("000000000007a120"))),
        "00000000000f4240"
    );
    EXPECT_EQ(hex_or_error(from_binary(kVarchar3, bytes_of("6162632020"))), "616263");
}

TEST(FromBinary, RefusesValuesOutsideTheType) {
    EXPECT_EQ(
        hex_or_error(from_binary(Type{Kind::kDate}, bytes_of("7ffffffe"))),
        "22008 date out of range"
    );
    EXPECT_EQ(
        hex_or_error(from_binary(Type{Kind::kTimestamptz}, bytes_of("7ffffffffffffffe"))),
        "22008 timestamp out of range"
    );
    EXPECT_EQ(
        hex_or_error(from_binary(Type{Kind::kText}, bytes_of("61ff"))),
        "22021 invalid byte sequence for encoding \"UTF8\": 0xff"
    );
    EXPECT_EQ(hex_or_error(from_binary(Type{Kind::kDate}, bytes_of("7fffffff"))), "7fffffff");
}

TEST(ToText, WritesWhatPostgreSqlWrites) {
    EXPECT_EQ(shown(Type{Kind::kBool}, "01"), "t");
    EXPECT_EQ(shown(Type{Kind::kInt8}, "8000000000000000"), "-9223372036854775808");
    EXPECT_EQ(shown(Type{Kind::kBytea}, "00ff5c41"), "\\x00ff5c41");
    TextStyle style;
    style.bytea_output = ByteaOutput::kEscape;
    EXPECT_EQ(shown(Type{Kind::kBytea}, "00ff5c41", style), "\\000\\377\\\\A");
    EXPECT_EQ(
        shown(Type{Kind::kUuid}, "a0eebc999c0b4ef8bb6d6bb9bd380a11"),
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    );
}

TEST(ToText, RefusesBytesThatAreNoSendForm) {
    EXPECT_EQ(shown(Type{Kind::kInt4}, "0001"), "22P03");
    EXPECT_EQ(shown(Type{Kind::kTimestamp}, "7ffffffffffffffe"), "22008");
    EXPECT_EQ(shown(Type{Kind::kTimestamp}, "7fffff5bb3b2a001"), "22008");
}

TEST(ToText, WritesATimestampThatWasRoundedBeyondTheRange) {
    TextStyle style;
    const TimeZone utc = TimeZone::utc();
    style.zone = &utc;
    for (const Kind kind : {Kind::kTimestamp, Kind::kTimestamptz}) {
        const std::string zone = kind == Kind::kTimestamp ? "" : "+00";
        const std::string last = sent(Type{kind, 0}, "294276-12-31 23:59:59.6" + zone, style);
        EXPECT_EQ(last, "7fffff5bb3b2a000");
        EXPECT_EQ(shown(Type{kind, 0}, last, style), "294277-01-01 00:00:00" + zone);
        EXPECT_EQ(
            hex_or_error(from_binary(Type{kind, 0}, bytes_of("7fffff5bb3ac8580"))),
            "7fffff5bb3b2a000"
        );
        EXPECT_EQ(
            hex_or_error(from_binary(Type{kind, 0}, bytes_of(last))), "22008 timestamp out of range"
        );
    }
}

TEST(ToText, LongByteaIsWrittenWhole) {
    core::Bytes bytes(1000, 0xAB);
    const auto text = to_text(Type{Kind::kBytea}, bytes, {});
    ASSERT_TRUE(text.has_value());
    EXPECT_EQ(text->size(), 2002U);
    EXPECT_EQ(
        hex_or_error(from_text(Type{Kind::kBytea}, core::as_text(text->reveal()), {})),
        core::to_hex(bytes)
    );
}

TEST(ExplicitTypmod, TruncatesVarcharAndRoundsTimestamps) {
    EXPECT_EQ(hex_or_error(apply_explicit_typmod(kVarchar3, core::as_bytes("abcdef"))), "616263");
    EXPECT_EQ(
        hex_or_error(apply_explicit_typmod(kVarchar3, core::as_bytes("äöüß"))), "c3a4c3b6c3bc"
    );
    EXPECT_EQ(
        hex_or_error(apply_explicit_typmod(Type{Kind::kTimestamp, 0}, bytes_of("000000000007a11f"))
        ),
        "0000000000000000"
    );
}

}  // namespace
}  // namespace pgveil::types
