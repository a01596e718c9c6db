#include "sql/types/array_elements.hpp"

#include "sql/types/codec.hpp"
#include "sql/types/convert.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pgveil::types {
namespace {

/// The elements in brackets, NULL as -; the SQLSTATE where there is an error.
std::string elements(std::string_view text, const TextStyle& style = {}) {
    std::string read;
    const auto done = read_array_text(text, style, [&read](auto element) {
        read += element ? "[" + std::string(core::as_text(*element)) + "]" : "-";
        return true;
    });
    return done ? read : done.error().sqlstate;
}

std::string binary_elements(core::ByteView binary, Kind kind) {
    std::string read;
    const auto done = read_array_binary(binary, kind, [&read](auto element) {
        read += element ? "[" + std::string(core::as_text(*element)) + "]" : "-";
        return true;
    });
    return done ? read : done.error().sqlstate;
}

TEST(ArrayText, ReadsWhatPostgresqlReads) {
    EXPECT_EQ(elements("{}"), "");
    EXPECT_EQ(elements(" { } "), "");
    EXPECT_EQ(elements("{a,b}"), "[a][b]");
    EXPECT_EQ(elements(" { a b , c } "), "[a b][c]");
    EXPECT_EQ(elements("{NULL,null,\"NULL\",NULLS,\\NULL}"), "--[NULL][NULLS][NULL]");
    EXPECT_EQ(elements("{\"\",\"a,b\",\"q\\\"q\",\" x \"}"), "[][a,b][q\"q][ x ]");
    EXPECT_EQ(elements("{a\\ ,b\\,c}"), "[a ][b,c]");
}

TEST(ArrayText, HasNoNullWhileArrayNullsIsOff) {
    TextStyle style;
    style.array_nulls = false;
    EXPECT_EQ(elements("{NULL,null, NULL ,\"NULL\"}", style), "[NULL][null][NULL][NULL]");
}

TEST(ArrayText, RefusesWhatIsNone) {
    for (const std::string_view text :
         {"",
          "a",
          "{",
          "{a",
          "{a,}",
          "{,a}",
          "{a}x",
          "{\"a}",
          "{a\"b\"}",
          "{\"a\"b}",
          "{a\\",
          "{a,\"b\\"}) {
        EXPECT_EQ(elements(text), "22P02") << text;
    }
    for (const std::string_view text : {"{{a},{b}}", "[1:2]={a,b}", "{a,{b}}"}) {
        EXPECT_EQ(elements(text), "0A000") << text;
    }
}

TEST(ArrayText, StopsWhenTold) {
    int seen = 0;
    EXPECT_TRUE(read_array_text("{a,b,c", {}, [&seen](auto) { return ++seen < 2; }).has_value());
    EXPECT_EQ(seen, 2);
}

TEST(ArrayBinary, ReadsItsOwnAndNothingElse) {
    ByteaArray array;
    EXPECT_EQ(binary_elements(array.finish(), Kind::kBytea), "");
    array.add(core::as_bytes("one"));
    array.add(std::nullopt);
    array.add(core::as_bytes(""));
    const core::Bytes binary = array.finish();
    EXPECT_EQ(binary_elements(binary, Kind::kBytea), "[one]-[]");
    EXPECT_EQ(binary_elements(binary, Kind::kText), "42804");
    for (std::size_t size = 0; size < binary.size(); ++size) {
        EXPECT_EQ(binary_elements(core::ByteView(binary).first(size), Kind::kBytea), "22P03")
            << size;
    }
    core::Bytes longer = binary;
    longer.push_back(0);
    EXPECT_EQ(binary_elements(longer, Kind::kBytea), "22P03");
    core::Bytes two_dimensions = binary;
    two_dimensions[3] = 2;
    EXPECT_EQ(binary_elements(two_dimensions, Kind::kBytea), "0A000");
    core::Bytes huge = binary;
    huge[12] = 0x7F;
    EXPECT_EQ(binary_elements(huge, Kind::kBytea), "22P03");
}

std::string cast(Type from, Type to, std::string_view text) {
    const auto value = from_text(from, text, {});
    const auto done = cast_explicitly(from, to, value->reveal(), {});
    if (!done) {
        return "!" + done.error().sqlstate;
    }
    const auto shown = to_text(to, done->reveal(), {});
    return std::string(core::as_text(shown->reveal()));
}

TEST(ExplicitCasts, CutRoundAndRead) {
    const Type text{Kind::kText, -1};
    EXPECT_EQ(cast(text, {Kind::kVarchar, 7}, "abcdef"), "abc");
    EXPECT_EQ(cast(text, {Kind::kDate, -1}, "2020-01-02"), "2020-01-02");
    EXPECT_EQ(cast(text, {Kind::kInt4, -1}, " 7 "), "7");
    EXPECT_EQ(cast(text, {Kind::kInt4, -1}, "x"), "!22P02");
    EXPECT_EQ(cast({Kind::kNumeric, -1}, {Kind::kInt4, -1}, "2.5"), "3");
    EXPECT_EQ(cast({Kind::kInt4, -1}, text, "42"), "42");
    EXPECT_EQ(cast({Kind::kInt4, -1}, {Kind::kBool, -1}, "1"), "!0A000");
    EXPECT_FALSE(is_castable(Kind::kInt4, Kind::kBool));
    EXPECT_FALSE(is_castable(Kind::kBpchar, Kind::kDate));
}

std::string unchanged(Type from, Type column, std::string_view text) {
    const auto value = from_text(from, text, {});
    const auto done = convert_unchanged(from, column, value->reveal(), {});
    return done ? "same" : done.error().sqlstate;
}

TEST(Unchanged, OnlyWhatTheColumnHoldsAsItIs) {
    EXPECT_EQ(unchanged({Kind::kVarchar, -1}, {Kind::kVarchar, 7}, "abc"), "same");
    EXPECT_EQ(unchanged({Kind::kVarchar, -1}, {Kind::kVarchar, 7}, "abcd"), "0A000");
    EXPECT_EQ(unchanged({Kind::kVarchar, -1}, {Kind::kVarchar, 7}, "abc "), "0A000");
    EXPECT_EQ(unchanged({Kind::kBpchar, -1}, {Kind::kBpchar, 7}, "abc"), "same");
    EXPECT_EQ(unchanged({Kind::kBpchar, -1}, {Kind::kBpchar, 7}, "ab"), "0A000");
    EXPECT_EQ(unchanged({Kind::kNumeric, -1}, {Kind::kNumeric, 524294}, "1.25"), "same");
    EXPECT_EQ(unchanged({Kind::kNumeric, -1}, {Kind::kNumeric, 524294}, "1.2"), "0A000");
    EXPECT_EQ(unchanged({Kind::kNumeric, -1}, {Kind::kNumeric, 524294}, "1.255"), "0A000");
    EXPECT_EQ(
        unchanged({Kind::kTimestamp, -1}, {Kind::kTimestamp, 0}, "2020-01-01 00:00:00.5"), "0A000"
    );
    EXPECT_EQ(unchanged({Kind::kInt4, -1}, {Kind::kInt8, -1}, "5"), "0A000");
}

}  // namespace
}  // namespace pgveil::types
