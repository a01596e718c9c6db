#include "proxy/wire/cursor.hpp"

#include <gtest/gtest.h>

#include <array>

namespace pgveil::wire {

namespace {

TEST(Cursor, ReadsBigEndianIntegers) {
    constexpr std::array<std::uint8_t, 7> kBytes{0x01, 0x02, 0x03, 0xff, 0xfe, 0xfd, 0xfc};
    Cursor cursor(kBytes);
    EXPECT_EQ(cursor.int8(), 0x01);
    EXPECT_EQ(cursor.int16(), 0x0203);
    EXPECT_EQ(cursor.int32(), 0xfffefdfcU);
    EXPECT_TRUE(cursor.finish(0).has_value());
}

TEST(Cursor, KeepsItsFirstFailure) {
    constexpr std::array<std::uint8_t, 3> kBytes{1, 2, 3};
    Cursor cursor(kBytes);
    EXPECT_EQ(cursor.int32(), 0U);
    EXPECT_EQ(cursor.cstring(), "");
    EXPECT_EQ(cursor.int8(), 0);
    EXPECT_EQ(cursor.error(), DecodeError::kTruncated);
}

TEST(Cursor, WantsATerminatorForEveryString) {
    Cursor cursor(as_bytes("abc"));
    EXPECT_EQ(cursor.cstring(), "");
    EXPECT_EQ(cursor.error(), DecodeError::kMissingTerminator);
}

TEST(Cursor, CallsLeftOverBytesAnError) {
    Cursor cursor(as_bytes("ab"));
    cursor.int8();
    EXPECT_EQ(cursor.finish(0).error(), DecodeError::kLeftOverBytes);
}

}  // namespace

}  // namespace pgveil::wire
