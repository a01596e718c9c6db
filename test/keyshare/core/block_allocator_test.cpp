#include "keyshare/core/block_allocator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace pgveil::core {
namespace {

constexpr std::size_t kSize = std::size_t{2} * 1024 * 1024;

class Blocks : public ::testing::Test {
protected:
    struct alignas(4096) Page {
        std::array<std::uint8_t, 4096> bytes{};
    };

    MutableByteView region() { return {pages_.front().bytes.data(), kSize}; }

    std::vector<Page> pages_{kSize / 4096};
    BlockAllocator blocks_{region()};
};

struct Live {
    std::uint8_t* at = nullptr;
    std::size_t size = 0;
    std::uint8_t mark = 0;

    bool is_intact() const {
        return std::all_of(at, at + size, [this](std::uint8_t byte) { return byte == mark; });
    }
};

TEST_F(Blocks, AreZeroAlignedInsideTheRegionAndLargeEnough) {
    for (std::size_t size = 1; size <= BlockAllocator::kLargest; size += 1 + size / 7) {
        void* block = blocks_.allocate(size);
        ASSERT_NE(block, nullptr) << size;
        EXPECT_TRUE(blocks_.owns(block));
        EXPECT_EQ(std::bit_cast<std::uintptr_t>(block) % 16, 0U);
        EXPECT_GE(blocks_.capacity_of(block), size);
        EXPECT_LE(blocks_.capacity_of(block), size + size / 4 + 16);
        const auto* bytes = static_cast<std::uint8_t*>(block);
        EXPECT_TRUE(std::all_of(bytes, bytes + size, [](std::uint8_t byte) { return byte == 0; }));
        blocks_.release(block);
    }
    EXPECT_EQ(blocks_.in_use(), 0U);
}

TEST_F(Blocks, ReleasedOnesAreWiped) {
    std::vector<void*> live;
    for (int i = 0; i < 500; ++i) {
        const auto size = static_cast<std::size_t>(1 + i * 5);
        live.push_back(blocks_.allocate(size));
        std::memset(live.back(), 0xEE, size);
    }
    for (void* block : live) {
        blocks_.release(block);
    }
    // Only links between free blocks may be left, and the two highest bytes of a pointer are zero.
    static constexpr std::array<std::uint8_t, 7> kTrace{0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE};
    EXPECT_TRUE(std::ranges::search(region(), kTrace).empty());
}

TEST_F(Blocks, ExhaustionReturnsNullAndReleasingMakesRoomAgain) {
    std::vector<void*> live;
    for (void* block = nullptr; (block = blocks_.allocate(16'000)) != nullptr;) {
        live.push_back(block);
    }
    EXPECT_EQ(live.size(), kSize / 16'384);
    EXPECT_EQ(blocks_.allocate(16'000), nullptr);
    for (void* block : live) {
        blocks_.release(block);
    }
    EXPECT_LE(blocks_.claimed(), 16'384U);
    EXPECT_NE(blocks_.allocate(BlockAllocator::kLargest), nullptr);
}

TEST_F(Blocks, PagesOfOneSizeServeAnotherLater) {
    for (const std::size_t size : {32U, 1000U, 5000U, 65536U, 48U}) {
        std::vector<void*> live;
        for (void* block = nullptr; (block = blocks_.allocate(size)) != nullptr;) {
            live.push_back(block);
        }
        EXPECT_GT(live.size() * size, kSize * 3 / 4) << size;
        for (void* block : live) {
            blocks_.release(block);
        }
    }
}

TEST_F(Blocks, TheTwoBuffersOfAHandshakeFitInOneAnothersPlace) {
    constexpr std::size_t kInput = 20'480;
    constexpr std::size_t kMessage = 24'576;
    std::vector<void*> inputs;
    std::vector<void*> messages;
    for (void* block = nullptr; (block = blocks_.allocate(kInput)) != nullptr;) {
        inputs.push_back(block);
        messages.push_back(blocks_.allocate(kMessage));
    }
    for (void* block : inputs) {
        blocks_.release(block);
    }
    for (std::size_t index = 0; index < inputs.size(); ++index) {
        EXPECT_NE(blocks_.allocate(kMessage), nullptr) << index << " of " << inputs.size();
    }
}

TEST_F(Blocks, RandomUseNeverOverlaps) {
    std::mt19937 random(42);  // NOLINT(cert-msc32-c,cert-msc51-cpp): a fixed seed repeats a failure
    std::vector<Live> live;
    for (int step = 0; step < 30'000; ++step) {
        if (random() % 2 == 0 && live.size() < 400) {
            const std::size_t size = 1 + random() % (random() % 8 == 0 ? 20'000 : 600);
            auto* at = static_cast<std::uint8_t*>(blocks_.allocate(size));
            if (at != nullptr) {
                live.push_back({at, size, static_cast<std::uint8_t>(1 + random() % 255)});
                std::memset(at, live.back().mark, size);
            }
        } else if (!live.empty()) {
            std::swap(live[random() % live.size()], live.back());
            ASSERT_TRUE(live.back().is_intact());
            blocks_.release(live.back().at);
            live.pop_back();
        }
    }
    for (const Live& block : live) {
        ASSERT_TRUE(block.is_intact());
        blocks_.release(block.at);
    }
    EXPECT_EQ(blocks_.in_use(), 0U);
}

TEST_F(Blocks, ManyThreadsMayUseItAtOnce) {
    const auto churn = [this](std::uint8_t mark) {
        std::vector<Live> live;
        for (std::size_t step = 0; step < 5000; ++step) {
            const std::size_t size = 1 + (step * 37 + mark) % 3000;
            auto* at = static_cast<std::uint8_t*>(blocks_.allocate(size));
            ASSERT_NE(at, nullptr);
            std::memset(at, mark, size);
            live.push_back({at, size, mark});
            if (live.size() > 20) {
                ASSERT_TRUE(live.front().is_intact());
                blocks_.release(live.front().at);
                live.erase(live.begin());
            }
        }
        for (const Live& block : live) {
            blocks_.release(block.at);
        }
    };
    std::vector<std::thread> threads;
    for (std::uint8_t mark = 1; mark <= 4; ++mark) {
        threads.emplace_back(churn, mark);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(blocks_.in_use(), 0U);
}

}  // namespace
}  // namespace pgveil::core
