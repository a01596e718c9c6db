#include "net/buffer.hpp"

#include <algorithm>
#include <cstring>
#include <malloc.h>
#include <utility>

namespace pgveil::net {

namespace {

/// Less room than this behind a rest of a message: move the rest to the front first.
constexpr std::size_t kTightSpace = kBlockSize / 4;

/// So many freed bytes are worth a walk over the heaps.
constexpr std::size_t kTrimmedFrom = std::size_t{32} * 1024 * 1024;

void wipe(std::span<std::uint8_t> bytes) noexcept {
    if (!bytes.empty()) {
        explicit_bzero(bytes.data(), bytes.size());
    }
}

}  // namespace

std::unique_ptr<Block> BufferPool::borrow() {
    ++lent_;
    if (free_.empty()) {
        return std::make_unique_for_overwrite<Block>();
    }
    std::unique_ptr<Block> block = std::move(free_.back());
    free_.pop_back();
    return block;
}

void BufferPool::give_back(std::unique_ptr<Block> block, std::size_t used) noexcept {
    wipe(std::span(*block).first(used));
    --lent_;
    if (free_.size() < kept_max_) {
        free_.push_back(std::move(block));
        return;
    }
    block.reset();
    freed_ += kBlockSize;
    if (freed_ >= kTrimmedFrom && lent_ <= kept_max_) {
        freed_ = 0;
        malloc_trim(0);  // a thread's heap shrinks from its end only, and something lies there
    }
}

ByteView Buffer::memory() const noexcept {
    if (!large_.empty()) {
        return large_;
    }
    return block_ ? ByteView(*block_) : ByteView();
}

std::span<std::uint8_t> Buffer::memory() noexcept {
    if (!large_.empty()) {
        return large_;
    }
    return block_ ? std::span<std::uint8_t>(*block_) : std::span<std::uint8_t>();
}

void Buffer::advance(std::size_t count) noexcept {
    parse_ += std::min(count, received_ - parse_);
}

void Buffer::consume(std::size_t count) noexcept {
    done_ += std::min(count, parse_ - done_);
    if (empty()) {
        release();
    }
}

std::span<std::uint8_t> Buffer::space() {
    if (memory().empty()) {
        block_ = pool_->borrow();
    }
    if (memory().size() - received_ < kTightSpace) {
        compact();
    }
    if (memory().size() == received_ && memory().size() < parse_ - done_ + target_) {
        enlarge();
    }
    return memory().subspan(received_);
}

void Buffer::commit(std::size_t count) noexcept {
    received_ += count;
    touched_ = std::max(touched_, received_);
    if (empty()) {
        release();
    }
}

void Buffer::grow(std::size_t size) noexcept {
    target_ = size;
}

void Buffer::compact() noexcept {
    if (done_ == 0) {
        return;
    }
    const std::span<std::uint8_t> all = memory();
    std::memmove(all.data(), all.subspan(done_).data(), received_ - done_);
    parse_ -= done_;
    received_ -= done_;
    done_ = 0;
}

/// Called with done_ at the front and no space left.
void Buffer::enlarge() {
    const std::size_t whole = parse_ + target_;
    std::vector<std::uint8_t> larger(std::min(whole, 2 * memory().size()));
    std::ranges::copy(memory().first(received_), larger.begin());
    wipe(large_);
    large_ = std::move(larger);
    if (block_) {
        pool_->give_back(std::move(block_), touched_);
    }
    touched_ = received_;
}

void Buffer::release() noexcept {
    if (block_) {
        pool_->give_back(std::move(block_), touched_);
    }
    wipe(large_);
    large_ = {};
    done_ = parse_ = received_ = touched_ = target_ = 0;
}

}  // namespace pgveil::net
