#include "keyshare/core/order_tag.hpp"

#include "keyshare/core/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <string_view>

namespace pgveil::core {
namespace {

Bytes counting_key() {
    Bytes key(kOrderTagKeySize);
    std::iota(key.begin(), key.end(), std::uint8_t{0});
    return key;
}

Bytes random_bytes(std::size_t size) {
    Bytes bytes(size);
    system_random().fill(bytes);
    return bytes;
}

/// Made by a second implementation, written in Python from FORMATS.md alone, under the key 00 ..
/// 3f.
struct Vector {
    std::string_view form;
    std::string_view tag;
};

constexpr std::array<Vector, 5> kVectors = {{
    {"", ""},
    {"8000", "f857a74a188d3bf2c8c0d5500d27c813"},
    {"7fffffffffffffff",
     "f706919da92b7dd189c2f2a30bc636ecd7d163cdb0319b9d53ef7a094feb331707e11ccc58f2d5e4"
     "525959309218def0a438d005bd35f8e61fa54fadcefff526"},
    {"000102030405060708090a0b0c0d0e0f1011",
     "f705afd3e1e74a08d92306d565f3907fcebbcf9c0abe2ce3d877d1428ed8601af5edc80ef7f65f11"
     "934ecca2b5ec27d6665f20cea69bbcc459effb9dac2d07a23300671458666568a98c52f2977a2a47"
     "756afb8df706dabba4d872e34cdbfed1e68c213369b035981aac0687d21730f86ca87ecc0df124b4"
     "cfc5404f7d50b3e13fb9634525d328d850bbeed2fdecae6c"},
    {"00000000000000000000000000000000",
     "f705afd3e1e74a08d92306d565f3907eed51322bcdbbd38037b915c6dccafadf4665e668a049b71f"
     "ab780c2c80a2624c047a08eaa99484635fe7cf37ae2987016a91b148fd1d2d916a3037e816096d93"
     "83b162c6be9c83cba7028c00e46dda9946b2f78d736a3ab22c86d985b8dca41b79a934290d6cc846"
     "5e5b33f6d6f1dd29"},
}};

TEST(OrderTag, AgreesWithASecondImplementation) {
    OrderTag maker(counting_key());
    for (const Vector& vector : kVectors) {
        EXPECT_EQ(to_hex(maker.tag_of(*from_hex(vector.form))), vector.tag) << vector.form;
    }
}

TEST(OrderTag, HasTheOrderOfTheForms) {
    for (const std::size_t size : {1U, 2U, 8U, 16U, 17U, 32U, 35U}) {
        OrderTag maker(random_bytes(kOrderTagKeySize));
        for (int round = 0; round < 200; ++round) {
            const Bytes one = random_bytes(size);
            Bytes other = random_bytes(size);
            // Most pairs share a beginning, so that the difference lies anywhere.
            const std::size_t shared = random_bytes(1).front() % (size + 1);
            std::copy_n(one.begin(), shared, other.begin());
            EXPECT_EQ(maker.tag_of(one) <=> maker.tag_of(other), one <=> other);
            EXPECT_EQ(maker.tag_of(one).size(), size * kOrderTagExpansion);
        }
    }
}

TEST(OrderTag, OrdersEveryPairOfOneByte) {
    OrderTag maker(counting_key());
    Bytes former;
    for (unsigned value = 0; value < 256; ++value) {
        const Bytes tag = maker.tag_of(Bytes{static_cast<std::uint8_t>(value)});
        EXPECT_LT(former, tag) << value;
        former = tag;
    }
}

TEST(OrderTag, TellsOnlyTheFirstDifferingBit) {
    OrderTag maker(counting_key());
    // 16 bytes apart the chain has to tell chunks of different beginnings apart.
    for (const std::size_t differing : {0U, 5U, 128U, 140U}) {
        Bytes one = random_bytes(20);
        Bytes other = one;
        other[differing / 8] ^= static_cast<std::uint8_t>(0x80U >> (differing % 8));
        const Bytes left = maker.tag_of(one);
        const Bytes right = maker.tag_of(other);
        const auto at = std::mismatch(left.begin(), left.end(), right.begin());
        EXPECT_EQ(static_cast<std::size_t>(at.first - left.begin()), differing);
        EXPECT_EQ(std::abs(int{*at.first} - int{*at.second}), 1);
        std::size_t equal = 0;
        for (std::size_t i = differing + 1; i < left.size(); ++i) {
            equal += left[i] == right[i] ? 1U : 0U;
        }
        EXPECT_LT(equal, 8U) << "the bytes behind it have nothing to do with each other";
    }
}

TEST(OrderTag, DependsOnBothHalvesOfTheKey) {
    const Bytes form = random_bytes(20);
    const Bytes tag = OrderTag(counting_key()).tag_of(form);
    Bytes other_bits = counting_key();
    other_bits.back() ^= 1U;
    EXPECT_NE(OrderTag(other_bits).tag_of(form), tag);
    Bytes other_chain = counting_key();
    other_chain.front() ^= 1U;
    const Bytes chained = OrderTag(other_chain).tag_of(form);
    EXPECT_NE(chained, tag);
    EXPECT_TRUE(std::equal(tag.begin(), tag.begin() + 128, chained.begin()))
        << "the first 16 bytes are not chained";
}

}  // namespace
}  // namespace pgveil::core
