#include "test/support/block_set.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace pgveil::support {
namespace {

SecretBlock block_from(std::uint8_t first) {
    SecretBlock block{};
    std::iota(block.begin(), block.end(), first);
    return block;
}

std::vector<BlockSet::Hit> hits_of(const BlockSet& set, const core::Bytes& memory) {
    std::vector<BlockSet::Hit> hits;
    set.find_in(memory, [&](const BlockSet::Hit& hit) { hits.push_back(hit); });
    return hits;
}

TEST(BlockSet, FindsABlockAtEveryOffset) {
    BlockSet set;
    set.add(block_from(100));
    set.add(block_from(10));
    for (std::size_t at = 0; at <= 48; ++at) {
        core::Bytes memory(64);
        const SecretBlock block = block_from(10);
        std::ranges::copy(block, memory.begin() + static_cast<std::ptrdiff_t>(at));
        const auto hits = hits_of(set, memory);
        ASSERT_EQ(hits.size(), 1);
        EXPECT_EQ(hits[0].offset, at);
        EXPECT_EQ(hits[0].block, 1);
        EXPECT_EQ(hits[0].order, ByteOrder::kPlain);
    }
}

TEST(BlockSet, FindsABlockInEveryByteOrder) {
    BlockSet set;
    set.add(block_from(10));
    const std::vector<std::pair<core::Bytes, ByteOrder>> forms = {
        {{10, 11, 12, 13, 14, 15, 16, 17}, ByteOrder::kPlain},
        {{17, 16, 15, 14, 13, 12, 11, 10}, ByteOrder::kReversed},
        {{13, 12, 11, 10, 17, 16, 15, 14}, ByteOrder::kWordsReversed}};
    for (const auto& [bytes, order] : forms) {
        const auto hits = hits_of(set, bytes);
        ASSERT_EQ(hits.size(), 1);
        EXPECT_EQ(hits[0].order, order);
    }
}

TEST(BlockSet, FindsNothingInBlocksThatDifferInOneBit) {
    BlockSet set;
    set.add(block_from(10));
    for (std::size_t bit = 0; bit < 8 * kSecretBlockSize; ++bit) {
        SecretBlock other = block_from(10);
        other.at(bit / 8) ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_TRUE(hits_of(set, core::Bytes(other.begin(), other.end())).empty());
    }
}

TEST(BlockSet, FindsNothingInShortMemory) {
    BlockSet set;
    set.add(block_from(10));
    EXPECT_TRUE(hits_of(set, {}).empty());
    EXPECT_TRUE(hits_of(set, core::Bytes(kSecretBlockSize - 1)).empty());
}

}  // namespace
}  // namespace pgveil::support
