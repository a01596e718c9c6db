#include "keyshare/core/block_cache.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

namespace pgveil::core {
namespace {

constexpr std::size_t kPages = 16;

struct Free {
    void operator()(std::uint8_t* block) const { std::free(block); }  // NOLINT(*-no-malloc)
};

/// An allocator over zeroed pages, and two caches of it.
struct Home {
    std::unique_ptr<std::uint8_t, Free> pages{static_cast<std::uint8_t*>(
        std::aligned_alloc(BlockAllocator::kPage, kPages* BlockAllocator::kPage)
    )};
    MutableByteView region{pages.get(), kPages* BlockAllocator::kPage};
    BlockAllocator blocks{wiped(region)};
    BlockCache one{blocks};
    BlockCache other{blocks};

    static MutableByteView wiped(MutableByteView region) {
        std::ranges::fill(region, std::uint8_t{0});
        return region;
    }
};

bool is_zero(const void* block, std::size_t size) {
    const auto* const bytes = static_cast<const std::uint8_t*>(block);
    return std::all_of(bytes, bytes + size, [](std::uint8_t byte) { return byte == 0; });
}

TEST(BlockCache, GivesBackWipedWhatWasReleased) {
    Home home;
    void* const first = home.one.allocate(100);
    ASSERT_NE(first, nullptr);
    std::fill_n(static_cast<std::uint8_t*>(first), 112, std::uint8_t{0x5A});
    home.one.release(first);
    EXPECT_EQ(home.one.kept(), 112U);
    EXPECT_TRUE(is_zero(static_cast<std::uint8_t*>(first) + sizeof(void*), 112 - sizeof(void*)))
        << "wiped at once";
    void* const again = home.one.allocate(110);
    EXPECT_EQ(again, first);
    EXPECT_TRUE(is_zero(again, 112));
    EXPECT_EQ(home.one.kept(), 0U);
    home.one.release(again);
}

TEST(BlockCache, TakesBlocksOfOtherThreads) {
    Home home;
    void* const block = home.one.allocate(64);
    home.other.release(block);
    EXPECT_EQ(home.other.allocate(64), block);
    EXPECT_NE(home.one.allocate(64), block);
}

TEST(BlockCache, FlushGivesAllBack) {
    Home home;
    for (const std::size_t size : {1U, 16U, 200U, 2048U}) {
        home.one.release(home.one.allocate(size));
    }
    EXPECT_GT(home.one.kept(), 0U);
    EXPECT_EQ(home.blocks.in_use(), home.one.kept());
    home.one.flush();
    EXPECT_EQ(home.one.kept(), 0U);
    EXPECT_EQ(home.blocks.in_use(), 0U);
}

TEST(BlockCache, KeepsNoMoreThanItMay) {
    Home home;
    std::vector<void*> blocks;
    for (int i = 0; i < 1000; ++i) {
        blocks.push_back(home.one.allocate(16));
        ASSERT_NE(blocks.back(), nullptr);
    }
    for (void* const block : blocks) {
        home.one.release(block);
    }
    EXPECT_LE(home.one.kept(), 4096U);
    home.one.release(home.one.allocate(6144));
    EXPECT_LE(home.one.kept(), 4096U) << "large blocks go back at once";
}

TEST(BlockCache, GivesBackWhatItKeepsBeforeItSaysThatThereIsNoRoom) {
    Home home;
    std::vector<void*> blocks;
    while (void* const block = home.one.allocate(2048)) {
        blocks.push_back(block);
    }
    ASSERT_EQ(blocks.size(), kPages * 2);
    EXPECT_EQ(home.one.allocate(BlockAllocator::kPage), nullptr);
    for (std::size_t i = 0; i < 4; ++i) {
        home.one.release(blocks[i]);
    }
    EXPECT_EQ(home.one.kept(), 4U * 2048U);
    EXPECT_NE(home.one.allocate(BlockAllocator::kPage), nullptr);
}

}  // namespace
}  // namespace pgveil::core
