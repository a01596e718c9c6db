#include "keyshare/envelope/body.hpp"

#include "keyshare/envelope/chunks.hpp"
#include "test/keyshare/envelope/memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgveil::envelope {
namespace {

using testing::HasSubstr;

/// A file of three full chunks and a short one, taken apart.
class EnvelopeBody : public testing::Test {
protected:
    static constexpr std::size_t kLastSize = 100;
    static constexpr std::size_t kChunks = 4;

    EnvelopeBody() {
        MemorySource source(file_);
        header_size_ = read_header(source)->bytes.size();
    }

    /// The bytes of chunk `number`, from 1, as they stand in `file`.
    core::Bytes chunk(const core::Bytes& file, std::size_t number) const {
        const auto all =
            core::ByteView(file).subspan(header_size_ + (number - 1) * kSealedChunkSize);
        return core::to_bytes(all.first(std::min(all.size(), kSealedChunkSize)));
    }

    core::Bytes head(const core::Bytes& file) const {
        return core::to_bytes(core::ByteView(file).first(header_size_));
    }

    /// A file with the header of file_ and these chunks.
    core::Bytes file_of(const std::vector<core::Bytes>& chunks) const {
        core::Bytes file = head(file_);
        for (const core::Bytes& part : chunks) {
            core::append(file, part);
        }
        return file;
    }

    /// It fails, says so, and has written the first `chunks` chunks and nothing else.
    void expect_failure(const core::Bytes& file, const std::string& says, std::size_t chunks) {
        const Opened opened = opened_by(group_, file);
        EXPECT_THAT(opened.error, HasSubstr(says));
        const std::size_t size = std::min(content_.size(), chunks * kChunkSize);
        EXPECT_EQ(opened.content.size(), size);
        EXPECT_TRUE(std::equal(opened.content.begin(), opened.content.end(), content_.begin()));
    }

    Group group_;
    core::Bytes content_ = content_of((kChunks - 1) * kChunkSize + kLastSize);
    core::Bytes file_ = sealed_to(group_.public_key, content_);
    std::size_t header_size_ = 0;
};

TEST_F(EnvelopeBody, C6_WhatWasSealedWithThePublicKeyAloneOpensAgain) {
    for (const std::size_t size :
         {std::size_t{0},
          std::size_t{1},
          kChunkSize - 1,
          kChunkSize,
          kChunkSize + 1,
          2 * kChunkSize,
          3 * kChunkSize + kLastSize}) {
        const core::Bytes content = content_of(size);
        const core::Bytes file = sealed_to(group_.public_key, content);
        const std::size_t chunks = std::max<std::size_t>(1, (size + kChunkSize - 1) / kChunkSize);
        EXPECT_EQ(file.size(), header_size_ + size + chunks * core::kXaesTagSize);
        const Opened opened = opened_by(group_, file);
        EXPECT_EQ(opened.error, "");
        EXPECT_EQ(opened.content, content);
    }
}

TEST_F(EnvelopeBody, C5_AFileCutAtAnyChunkFailsAndNamesIt) {
    for (std::size_t left = 1; left < kChunks; ++left) {
        const std::size_t end = header_size_ + left * kSealedChunkSize;
        const core::ByteView all(file_);
        const std::string name = "chunk " + std::to_string(left);
        const std::string after = "chunk " + std::to_string(left + 1);
        expect_failure(core::to_bytes(all.first(end)), "cut off behind " + name + ":", left - 1);
        expect_failure(core::to_bytes(all.first(end - 1)), name + " (content", left - 1);
        for (const std::size_t more : {1U, 15U, 16U, 17U}) {
            expect_failure(core::to_bytes(all.first(end + more)), after + " (content", left);
        }
    }
    expect_failure(head(file_), "chunk 1 (content from byte 0) does not verify", 0);
    const core::ByteView all(file_);
    expect_failure(core::to_bytes(all.first(file_.size() - 1)), "chunk 4 (content", kChunks - 1);
}

TEST_F(EnvelopeBody, C5_EveryFlippedBitOfABodyIsNoticedInItsChunk) {
    for (std::size_t number = 1; number <= kChunks; ++number) {
        const std::size_t start = header_size_ + (number - 1) * kSealedChunkSize;
        const std::size_t size = number == kChunks ? kLastSize : kChunkSize;
        // The first byte, the middle, the last of the ciphertext, and both ends of the tag.
        for (const std::size_t at : {std::size_t{0}, size / 2, size - 1, size, size + 15}) {
            core::Bytes altered = file_;
            altered[start + at] ^= 0x01U << (at % 8);
            expect_failure(
                altered,
                "chunk " + std::to_string(number) + " (content from byte " +
                    std::to_string((number - 1) * kChunkSize) + ")",
                number - 1
            );
        }
    }
}

TEST_F(EnvelopeBody, C5_ChunksInAnotherOrderFail) {
    const core::Bytes one = chunk(file_, 1);
    const core::Bytes two = chunk(file_, 2);
    const core::Bytes three = chunk(file_, 3);
    const core::Bytes last = chunk(file_, 4);
    EXPECT_EQ(opened_by(group_, file_of({one, two, three, last})).error, "");
    expect_failure(file_of({two, one, three, last}), "chunk 1 (", 0);
    expect_failure(file_of({one, three, two, last}), "chunk 2 (", 1);
    expect_failure(file_of({one, two, two, three, last}), "chunk 3 (", 2);
    expect_failure(file_of({one, three, last}), "chunk 2 (", 1);
    expect_failure(file_of({one, two, last}), "chunk 3 (", 2);
    expect_failure(file_of({one, last}), "chunk 2 (", 1);
}

TEST_F(EnvelopeBody, C5_WhatIsAddedBehindTheEndFails) {
    core::Bytes longer = file_;
    longer.push_back(0);
    expect_failure(longer, "chunk 4 (", 3);

    const core::Bytes full = content_of(kChunkSize);
    content_ = full;
    core::Bytes of_full_chunks = sealed_to(group_.public_key, full);
    of_full_chunks.push_back(0);
    expect_failure(of_full_chunks, "goes on behind chunk 1", 0);
}

TEST_F(EnvelopeBody, C5_TwoFilesCannotBeSpliced) {
    const core::Bytes other = sealed_to(group_.public_key, content_);
    expect_failure(
        file_of({chunk(file_, 1), chunk(other, 2), chunk(file_, 3), chunk(file_, 4)}),
        "chunk 2 (content from byte 65536) does not verify: it was altered, moved, or belongs to "
        "another file",
        1
    );
    expect_failure(
        file_of({chunk(other, 1), chunk(other, 2), chunk(other, 3), chunk(other, 4)}),
        "chunk 1 (",
        0
    );
}

TEST_F(EnvelopeBody, AnEmptyLastChunkIsNoSecondFormOfAFile) {
    const auto fresh = make_header(group_.public_key, {}, core::system_random());
    const core::Bytes content = content_of(kChunkSize);
    Chunks chunks(fresh->body_key, fresh->header);
    core::Bytes body(kSealedChunkSize + core::kXaesTagSize);
    const core::MutableByteView room(body);
    chunks.seal(content, Chunks::Place::kMore, room.first(kSealedChunkSize));
    chunks.seal({}, Chunks::Place::kLast, room.subspan(kSealedChunkSize));
    MemorySource source(body);
    MemorySink sink;
    const auto opened = open_body(source, sink, fresh->header, fresh->body_key);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, HasSubstr("chunk 2 ("));
}

/// Refuses what is written after the first chunk.
class FullSink final : public Sink {
public:
    Result<void> write(core::ByteView bytes) override {
        if (written_ > 0) {
            return user::failed("the disk is full");
        }
        written_ += bytes.size();
        return {};
    }

private:
    std::size_t written_ = 0;
};

TEST_F(EnvelopeBody, ErrorsOfTheStreamsArePassedOn) {
    const auto fresh = make_header(group_.public_key, {}, core::system_random());
    MemorySource content(content_);
    FullSink sink;
    const auto sealed = seal_body(content, sink, *fresh);
    ASSERT_FALSE(sealed);
    EXPECT_EQ(sealed.error().message, "the disk is full");
}

}  // namespace
}  // namespace pgveil::envelope
