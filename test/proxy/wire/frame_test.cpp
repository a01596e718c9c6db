#include "proxy/wire/frame.hpp"

#include "proxy/wire/frontend.hpp"

#include <gtest/gtest.h>

namespace pgveil::wire {

namespace {

constexpr std::size_t kLimit = 1 << 20;

Output three_messages() {
    Output out;
    append_parse(out, "s", "select 1", {});
    append_empty(out, FrontendType::kSync);
    append_query(out, "select 2");
    return out;
}

/// Reads as a session does: bytes arrive up to `split`, then the rest.
std::vector<std::uint8_t> types_read_in_two_steps(ByteView bytes, std::size_t split) {
    std::vector<std::uint8_t> types;
    std::size_t done = 0;
    for (const std::size_t end : {split, bytes.size()}) {
        FrameReader frames(bytes.subspan(done, end - done), kLimit);
        while (frames.peek().status == PeekStatus::kWhole) {
            types.push_back(frames.take().type);
        }
        done += frames.consumed();
    }
    EXPECT_EQ(done, bytes.size());
    return types;
}

TEST(FrameReader, ReadsTheSameMessagesWhereverTheBytesAreSplit) {
    const Output out = three_messages();
    for (std::size_t split = 0; split <= out.size(); ++split) {
        EXPECT_EQ(
            types_read_in_two_steps(out.bytes(), split), (std::vector<std::uint8_t>{'P', 'S', 'Q'})
        ) << split;
    }
}

TEST(FrameReader, SaysHowManyBytesAreMissing) {
    Output out;
    append_query(out, "select 1");
    for (std::size_t have = 0; have < out.size(); ++have) {
        const Peek peek = FrameReader(out.bytes().first(have), kLimit).peek();
        if (have < kFrameHeadSize) {
            EXPECT_EQ(peek.status, PeekStatus::kNeedHead);
            EXPECT_EQ(peek.missing, kFrameHeadSize - have);
        } else {
            EXPECT_EQ(peek.status, PeekStatus::kPartial);
            EXPECT_EQ(peek.type, 'Q');
            EXPECT_EQ(peek.size, out.size());
            EXPECT_EQ(peek.missing, out.size() - have);
        }
    }
}

TEST(FrameReader, RefusesLengthsThatCannotBe) {
    for (const std::uint32_t length : {0U, 1U, 3U, 0x80000000U, UINT32_MAX}) {
        Output out;
        out.append_int8('Q');
        out.append_int32(length);
        EXPECT_EQ(FrameReader(out.bytes(), kLimit).peek().status, PeekStatus::kMalformed) << length;
    }
}

TEST(FrameReader, HandsOutNothingAboveTheLimitButTellsItsSize) {
    Output out;
    append_query(out, "select 1");
    const Peek within = FrameReader(out.bytes(), out.size()).peek();
    EXPECT_EQ(within.status, PeekStatus::kWhole);
    FrameReader frames(out.bytes(), out.size() - 1);
    EXPECT_EQ(frames.peek().status, PeekStatus::kTooLarge);
    EXPECT_EQ(frames.peek().size, out.size());
    EXPECT_EQ(frames.take().type, 0);
    EXPECT_EQ(frames.consumed(), 0U);
}

TEST(FrameReader, SkipsNoFurtherThanTheBytesThatAreThere) {
    Output out;
    append_query(out, "select 1");
    FrameReader frames(out.bytes().first(7), kLimit);
    const Peek peek = frames.peek();
    frames.skip(peek.size);
    EXPECT_EQ(frames.consumed(), 7U);
    EXPECT_EQ(peek.missing, out.size() - 7);
}

TEST(PeekStartup, CountsTheLengthFieldAsPartOfThePacket) {
    Output out;
    out.append_int32(8);
    out.append_int32(80877103);
    EXPECT_EQ(peek_startup(out.bytes().first(3), 10004).status, PeekStatus::kNeedHead);
    EXPECT_EQ(peek_startup(out.bytes().first(7), 10004).missing, 1U);
    EXPECT_EQ(peek_startup(out.bytes(), 10004).status, PeekStatus::kWhole);
    EXPECT_EQ(peek_startup(out.bytes(), 7).status, PeekStatus::kTooLarge);
}

}  // namespace

}  // namespace pgveil::wire
