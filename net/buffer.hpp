#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace pgveil::net {

using ByteView = std::span<const std::uint8_t>;

inline constexpr std::size_t kBlockSize = 16384;

using Block = std::array<std::uint8_t, kBlockSize>;

/// 16 KB blocks of one worker. A block that comes back is wiped before it is lent again. Keeps at
/// most `kept_max` free blocks, frees the others, and what many of them took goes back to the
/// system. Belongs to one thread; must outlive what it lent.
class BufferPool {
public:
    explicit BufferPool(std::size_t kept_max = 64) : kept_max_(kept_max) {}

    std::unique_ptr<Block> borrow();

    /// @param used how many bytes from the start were ever written: only those are wiped
    void give_back(std::unique_ptr<Block> block, std::size_t used) noexcept;

    std::size_t lent() const noexcept { return lent_; }

private:
    std::size_t kept_max_;
    std::size_t lent_ = 0;
    std::size_t freed_ = 0;  ///< since the heaps were last trimmed
    std::vector<std::unique_ptr<Block>> free_;
};

/// Received bytes of one direction, always contiguous, with three cursors:
///
///     done <= parse <= received
///     [done, parse)      parsed(): looked at, to be passed on or dropped
///     [parse, received)  unparsed(): not looked at yet
///
/// How to drive it: `read_some` of a Stream fills it; look at unparsed(), `advance` over what was
/// understood, pass on parsed(), then `consume`. When all is consumed the block goes back to the
/// pool: an idle connection holds none. A message that must be whole and does not fit calls `grow`.
/// Views are valid until the next non-const call. What is given back is wiped.
class Buffer {
public:
    explicit Buffer(BufferPool& pool) noexcept : pool_(&pool) {}

    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    Buffer(Buffer&&) = delete;
    Buffer& operator=(Buffer&&) = delete;

    ~Buffer() { release(); }

    ByteView parsed() const noexcept { return memory().subspan(done_, parse_ - done_); }

    ByteView unparsed() const noexcept { return memory().subspan(parse_, received_ - parse_); }

    /// Nothing received that was not consumed.
    bool empty() const noexcept { return done_ == received_; }

    void advance(std::size_t count) noexcept;  ///< moves parse over bytes of unparsed()
    void consume(std::size_t count) noexcept;  ///< drops bytes from the front of parsed()

    void consume_parsed() noexcept { consume(parse_ - done_); }

    /// Free space at the end: borrows a block when there is none, moves the rest of a message to
    /// the front when the end is near. Empty when unconsumed bytes fill everything (grow, or
    /// consume).
    std::span<std::uint8_t> space();
    void commit(std::size_t count) noexcept;  ///< `count` bytes of space() were received; may be 0

    /// Lets the buffer hold a whole message of `size` bytes that begins at unparsed(). The caller
    /// has checked `size` against its limit. Memory follows what really arrives (at most twice
    /// that), and is given back when all is consumed.
    void grow(std::size_t size) noexcept;

    /// Drops and wipes everything.
    void release() noexcept;

private:
    ByteView memory() const noexcept;
    std::span<std::uint8_t> memory() noexcept;
    void compact() noexcept;
    void enlarge();

    BufferPool* pool_;
    std::unique_ptr<Block> block_;
    std::vector<std::uint8_t> large_;  ///< instead of the block, once a message needs more
    std::size_t target_ = 0;           ///< size of the message that must be whole
    std::size_t done_ = 0;
    std::size_t parse_ = 0;
    std::size_t received_ = 0;
    std::size_t touched_ = 0;  ///< highest byte ever written: what has to be wiped
};

}  // namespace pgveil::net
