#include "sql/types/exact_text.hpp"

#include "sql/types/secret_sink.hpp"
#include "sql/types/text.hpp"
#include "test/sql/types/value_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::types {
namespace {

/// In hex, or as "SQLSTATE message".
std::string exact(Type type, std::string_view text, int server_major = 15) {
    SecretSink sink;
    const auto written = append_send_form(type, text, server_major, sink);
    return written.has_value() ? core::to_hex(core::as_bytes(sink.text()))
                               : written.error().sqlstate + " " + written.error().message;
}

std::string exact(Kind kind, std::string_view text, int server_major = 15) {
    return exact(Type{kind}, text, server_major);
}

TEST(ExactText, IsThatOfTypesWithoutClockSettingsAndUnreadForms) {
    for (const Kind kind :
         {Kind::kBool,
          Kind::kInt2,
          Kind::kInt4,
          Kind::kInt8,
          Kind::kText,
          Kind::kVarchar,
          Kind::kBpchar,
          Kind::kBytea,
          Kind::kUuid,
          Kind::kJson,
          Kind::kJsonb}) {
        EXPECT_TRUE(has_exact_text(kind)) << name_of(Type{kind});
        EXPECT_FALSE(has_exact_text(array_of(kind))) << name_of(Type{kind});
    }
    for (const Kind kind :
         {Kind::kDate,
          Kind::kTimestamp,
          Kind::kTimestamptz,
          Kind::kTime,
          Kind::kTimetz,
          Kind::kInterval,
          Kind::kNumeric,
          Kind::kFloat4,
          Kind::kFloat8,
          Kind::kInet,
          Kind::kCidr}) {
        EXPECT_FALSE(has_exact_text(kind)) << name_of(Type{kind});
    }
}

TEST(ExactText, GivesTheSendForm) {
    EXPECT_EQ(exact(Kind::kBool, " oN "), "01");
    EXPECT_EQ(exact(Kind::kInt2, "-2"), "fffe");
    EXPECT_EQ(exact(Kind::kInt4, "42"), "0000002a");
    EXPECT_EQ(exact(Kind::kInt4, " +42 "), "0000002a");
    EXPECT_EQ(exact(Kind::kInt8, "-9223372036854775808"), "8000000000000000");
    EXPECT_EQ(exact(Kind::kInt8, "9223372036854775807"), "7fffffffffffffff");
    EXPECT_EQ(exact(Kind::kText, "é "), "c3a920");
    EXPECT_EQ(exact({Kind::kVarchar, 7}, "abc  "), "6162632020") << "the server cuts";
    EXPECT_EQ(exact({Kind::kBpchar, 7}, "a"), "61") << "the server pads";
    EXPECT_EQ(exact(Kind::kBpchar, "a "), "6120");
    EXPECT_EQ(exact(Kind::kBytea, "\\x01ff"), "01ff");
    EXPECT_EQ(exact(Kind::kJson, "{ \"a\":1}"), "7b202261223a317d");
    EXPECT_EQ(exact(Kind::kJsonb, "1"), "0131");
    EXPECT_EQ(exact(Kind::kJsonb, ""), "01") << "what is wrong with it the server says";
}

TEST(ExactText, HasTheErrorsOfPostgreSql) {
    EXPECT_EQ(exact(Kind::kInt4, ""), "22P02 invalid input syntax for type integer: \"\"");
    EXPECT_EQ(exact(Kind::kInt4, "-"), "22P02 invalid input syntax for type integer: \"-\"");
    EXPECT_EQ(exact(Kind::kInt4, "1x"), "22P02 invalid input syntax for type integer: \"1x\"");
    EXPECT_EQ(
        exact(Kind::kInt2, "32768"), "22003 value \"32768\" is out of range for type smallint"
    );
    EXPECT_EQ(
        exact(Kind::kInt8, "9223372036854775808"),
        "22003 value \"9223372036854775808\" is out of range for type bigint"
    );
    for (const Kind kind : {Kind::kInt4, Kind::kText, Kind::kJsonb, Kind::kBool}) {
        EXPECT_EQ(exact(kind, "a\xff"), "22021 invalid byte sequence for encoding \"UTF8\": 0xff");
    }
}

TEST(ExactText, FollowsTheServerInNewerIntegers) {
    constexpr const char* kInvalid = "22P02 invalid input syntax for type integer: ";
    for (const auto* text : {"0x1F", "0b1", "0o7", "1_000"}) {
        EXPECT_EQ(exact(Kind::kInt4, text, 15), kInvalid + ('"' + std::string(text) + '"'));
    }
    EXPECT_EQ(exact(Kind::kInt4, "0x1F", 16), "0000001f");
    EXPECT_EQ(exact(Kind::kInt4, " -0X_1_f ", 16), "ffffffe1");
    EXPECT_EQ(exact(Kind::kInt4, "0b101", 18), "00000005");
    EXPECT_EQ(exact(Kind::kInt4, "0o17", 17), "0000000f");
    EXPECT_EQ(exact(Kind::kInt4, "+1_000", 16), "000003e8");
    EXPECT_EQ(exact(Kind::kInt2, "-0x8000", 16), "8000");
    for (const auto* text : {"_1", "1_", "1__0", "0x", "0xg", "0b2", "0o8", "0x1_", "1_x"}) {
        EXPECT_EQ(exact(Kind::kInt4, text, 16), kInvalid + ('"' + std::string(text) + '"'));
    }
    EXPECT_EQ(
        exact(Kind::kInt4, "0x80000000", 16),
        "22003 value \"0x80000000\" is out of range for type integer"
    );
    EXPECT_EQ(
        exact(Kind::kInt8, "0xffffffffffffffffffff", 16),
        "22003 value \"0xffffffffffffffffffff\" is out of range for type bigint"
    );
}

TEST(CheckUtf8, FindsWhatIsWrongAtAnyPlace) {
    for (std::size_t size = 0; size < 40; ++size) {
        const std::string good(size, 'a');
        EXPECT_TRUE(check_utf8(good + "é" + good).has_value()) << size;
        EXPECT_FALSE(check_utf8(good + "\xff" + good).has_value()) << size;
        EXPECT_FALSE(check_utf8(good + std::string(1, '\0') + good).has_value()) << size;
        EXPECT_TRUE(check_utf8(good + "\x01" + good + "\x7f").has_value()) << size;
    }
}

}  // namespace
}  // namespace pgveil::types
