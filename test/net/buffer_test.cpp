#include "net/buffer.hpp"

#include "net/output_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace pgveil::net {

namespace {

void receive(Buffer& buffer, std::string_view text) {
    const std::span<std::uint8_t> space = buffer.space();
    ASSERT_GE(space.size(), text.size());
    std::ranges::copy(text, space.begin());
    buffer.commit(text.size());
}

std::string text_of(ByteView bytes) {
    return {bytes.begin(), bytes.end()};
}

TEST(Buffer, HoldsNoBlockWhenEverythingIsConsumed) {
    BufferPool pool;
    Buffer buffer(pool);
    EXPECT_EQ(pool.lent(), 0U);
    receive(buffer, "hello");
    EXPECT_EQ(pool.lent(), 1U);
    buffer.advance(5);
    buffer.consume_parsed();
    EXPECT_EQ(pool.lent(), 0U);
}

TEST(Buffer, GivesTheBlockBackWhenARoundBroughtNothing) {
    BufferPool pool;
    Buffer buffer(pool);
    EXPECT_EQ(buffer.space().size(), kBlockSize);
    buffer.commit(0);
    EXPECT_EQ(pool.lent(), 0U);
}

TEST(Buffer, KeepsItsThreeCursorsApart) {
    BufferPool pool;
    Buffer buffer(pool);
    receive(buffer, "abcdef");
    buffer.advance(4);
    EXPECT_EQ(text_of(buffer.parsed()), "abcd");
    EXPECT_EQ(text_of(buffer.unparsed()), "ef");
    buffer.consume(3);
    EXPECT_EQ(text_of(buffer.parsed()), "d");
    receive(buffer, "gh");
    EXPECT_EQ(text_of(buffer.unparsed()), "efgh");
    buffer.advance(100);
    EXPECT_EQ(text_of(buffer.parsed()), "defgh");
}

TEST(Buffer, KeepsAMessageWholeThatIsLargerThanABlock) {
    BufferPool pool;
    Buffer buffer(pool);
    std::string message;
    for (std::size_t i = 0; i < 5 * kBlockSize; ++i) {
        message += static_cast<char>('a' + i % 23);
    }
    receive(buffer, "x");
    buffer.advance(1);
    buffer.grow(message.size());
    for (std::string_view rest = message; !rest.empty();) {
        const std::size_t count = std::min<std::size_t>(rest.size(), 1000);
        const std::size_t fits = std::min(count, buffer.space().size());
        ASSERT_GT(fits, 0U);
        receive(buffer, rest.substr(0, fits));
        rest.remove_prefix(fits);
    }
    EXPECT_EQ(text_of(buffer.parsed()), "x");
    EXPECT_EQ(text_of(buffer.unparsed()), message);
    EXPECT_EQ(pool.lent(), 0U);
    buffer.advance(message.size());
    buffer.consume_parsed();
    EXPECT_TRUE(buffer.empty());
    EXPECT_EQ(buffer.space().size(), kBlockSize);
}

TEST(Buffer, TakesMemoryOnlyForWhatHasArrived) {
    BufferPool pool;
    Buffer buffer(pool);
    receive(buffer, "P");
    buffer.grow(std::size_t{1} << 30);
    EXPECT_LE(buffer.space().size(), kBlockSize);
}

TEST(Buffer, OffersNoSpaceBeyondABlockUnlessAskedToGrow) {
    BufferPool pool;
    Buffer buffer(pool);
    receive(buffer, std::string(kBlockSize, 'x'));
    EXPECT_TRUE(buffer.space().empty());
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr std::size_t kMegabyte = std::size_t{1} << 20U;

std::size_t resident_megabytes() {
    std::size_t all = 0;
    std::size_t resident = 0;
    std::ifstream("/proc/self/statm") >> all >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / kMegabyte;
}

/// 128 MB of blocks, with something behind them that stays, as in the heap of a worker.
void fill_and_give_back() {
    constexpr std::size_t kBlocks = 128 * kMegabyte / kBlockSize;
    const std::size_t before = resident_megabytes();
    BufferPool pool;
    std::vector<std::unique_ptr<Block>> lent(kBlocks);
    for (auto& block : lent) {
        block = pool.borrow();
        block->fill(1);
    }
    const auto stays = std::make_unique<std::array<char, 100>>();
    EXPECT_GT(resident_megabytes(), before + 100);
    for (auto& block : lent) {
        pool.give_back(std::move(block), kBlockSize);
    }
    EXPECT_LT(resident_megabytes(), before + 16);
}

TEST(BufferPool, GivesWhatManyBlocksTookBackToTheSystem) {
    std::thread worker(fill_and_give_back);
    worker.join();
}
#endif

TEST(BufferPool, WipesABlockBeforeItIsLentAgain) {
    BufferPool pool;
    const std::uint8_t* address = nullptr;
    {
        Buffer buffer(pool);
        receive(buffer, "secret");
        address = buffer.unparsed().data();
        ASSERT_EQ(text_of(buffer.unparsed()), "secret");
    }
    const std::unique_ptr<Block> again = pool.borrow();
    ASSERT_EQ(again->data(), address);
    EXPECT_EQ(text_of(ByteView(*again).first(6)), std::string(6, '\0'));
    pool.give_back(std::make_unique<Block>(*again), 0);
}

TEST(OutputQueue, GivesOutInOrderWhatItTookIn) {
    BufferPool pool;
    OutputQueue queue(pool);
    std::string expected;
    for (int i = 0; i < 5000; ++i) {
        const std::string piece = std::to_string(i) + ";";
        const std::string_view view = piece;
        queue.append({reinterpret_cast<const std::uint8_t*>(view.data()), view.size()});
        expected += piece;
    }
    EXPECT_EQ(queue.size(), expected.size());
    std::string taken;
    while (!queue.empty()) {
        const std::size_t count = std::min<std::size_t>(queue.front().size(), 777);
        taken += text_of(queue.front().first(count));
        queue.consume(count);
    }
    EXPECT_EQ(taken, expected);
    EXPECT_EQ(pool.lent(), 0U);
}

TEST(OutputQueue, NeverOffersLessThanBeforeAfterARefusal) {
    BufferPool pool;
    OutputQueue queue(pool);
    const std::string block(kBlockSize, 'x');
    for (std::size_t size = 1; size < kBlockSize; size += 997) {
        const std::string_view view = std::string_view(block).substr(0, size);
        const std::size_t before = queue.front().size();
        queue.append({reinterpret_cast<const std::uint8_t*>(view.data()), view.size()});
        EXPECT_GE(queue.front().size(), before);
    }
}

}  // namespace

}  // namespace pgveil::net
