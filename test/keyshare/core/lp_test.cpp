#include "keyshare/core/lp.hpp"

#include <gtest/gtest.h>

namespace pgveil::core {
namespace {

TEST(LengthPrefixed, PutsFourBytesOfLengthBeforeEachPart) {
    const Bytes encoded = length_prefixed({as_bytes("ab"), ByteView{}, big_endian32(7)});
    EXPECT_EQ(
        to_hex(encoded),
        "000000026162"
        "00000000"
        "0000000400000007"
    );
    EXPECT_EQ(
        to_hex(secret_length_prefixed({as_bytes("ab"), ByteView{}, big_endian32(7)}).reveal()),
        to_hex(encoded)
    );
    EXPECT_TRUE(length_prefixed({}).empty());
}

TEST(LengthPrefixed, MovingABytesAcrossAPartChangesTheEncoding) {
    EXPECT_NE(
        length_prefixed({as_bytes("ab"), as_bytes("c")}),
        length_prefixed({as_bytes("a"), as_bytes("bc")})
    );
    EXPECT_NE(length_prefixed({as_bytes("a")}), length_prefixed({as_bytes("a"), ByteView{}}));
}

TEST(LengthPrefixed, SplitsIntoExactlyTheExpectedParts) {
    const Bytes encoded = length_prefixed({as_bytes("ab"), ByteView{}, as_bytes("c")});
    const auto parts = split_length_prefixed(encoded, 3);
    ASSERT_TRUE(parts.has_value());
    EXPECT_EQ(as_text(parts->at(0)), "ab");
    EXPECT_TRUE(parts->at(1).empty());
    EXPECT_EQ(as_text(parts->at(2)), "c");
    EXPECT_FALSE(split_length_prefixed(encoded, 2).has_value());
    EXPECT_FALSE(split_length_prefixed(encoded, 4).has_value());
    EXPECT_EQ(split_length_prefixed_up_to(encoded, 10)->size(), 3U);
}

TEST(LengthPrefixed, RefusesEveryCutAndLengthsThatLie) {
    const Bytes encoded = length_prefixed({as_bytes("ab"), as_bytes("c")});
    for (std::size_t size = 0; size < encoded.size(); ++size) {
        EXPECT_FALSE(split_length_prefixed(ByteView(encoded).first(size), 2).has_value()) << size;
    }
    EXPECT_FALSE(split_length_prefixed(*from_hex("ffffffff00"), 1).has_value());
    EXPECT_FALSE(split_length_prefixed(*from_hex("00000001"), 1).has_value());
    EXPECT_EQ(split_length_prefixed({}, 1).error().code, ErrorCode::kEncoding);
    EXPECT_TRUE(split_length_prefixed({}, 0).has_value());
}

}  // namespace
}  // namespace pgveil::core
