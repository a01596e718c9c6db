#include "keyshare/core/bytes.hpp"

#include <gtest/gtest.h>

namespace pgveil::core {
namespace {

TEST(Hex, IsLowerCaseAndStrict) {
    EXPECT_EQ(to_hex(Bytes{0x00, 0xab, 0xff}), "00abff");
    EXPECT_EQ(*from_hex("00abff"), (Bytes{0x00, 0xab, 0xff}));
    EXPECT_TRUE(from_hex("")->empty());
    for (const char* wrong : {"0", "0A", "0g", " 00", "00\n", "0x00"}) {
        EXPECT_EQ(from_hex(wrong).error().code, ErrorCode::kEncoding) << wrong;
    }
}

TEST(BigEndian, WritesAndReadsMostSignificantByteFirst) {
    EXPECT_EQ(to_hex(big_endian16(0x0102)), "0102");
    EXPECT_EQ(to_hex(big_endian32(0x01020304)), "01020304");
    EXPECT_EQ(to_hex(big_endian64(0x0102030405060708)), "0102030405060708");
    EXPECT_EQ(read_big_endian16(big_endian16(0xfffe)), 0xfffe);
    EXPECT_EQ(read_big_endian32(big_endian32(0xfffefdfc)), 0xfffefdfc);
    EXPECT_EQ(read_big_endian64(big_endian64(0xfffefdfcfbfaf9f8)), 0xfffefdfcfbfaf9f8);
}

TEST(BigEndianDeathTest, ReadingFromTooFewBytesEndsTheProcess) {
    EXPECT_DEATH(static_cast<void>(read_big_endian32(Bytes(3))), "enough bytes");
}

}  // namespace
}  // namespace pgveil::core
