#pragma once

#include "net/buffer.hpp"

#include <cstddef>
#include <deque>
#include <memory>

namespace pgveil::net {

/// Output that the kernel has not taken yet, in pooled blocks. Holds none when empty; wipes on the
/// way out. A chunk that was offered and not taken is offered again from the same first byte and is
/// never shorter than before: what OpenSSL demands of a repeated write.
class OutputQueue {
public:
    explicit OutputQueue(BufferPool& pool) noexcept : pool_(&pool) {}

    OutputQueue(const OutputQueue&) = delete;
    OutputQueue& operator=(const OutputQueue&) = delete;
    OutputQueue(OutputQueue&&) = delete;
    OutputQueue& operator=(OutputQueue&&) = delete;

    ~OutputQueue() { clear(); }

    void append(ByteView bytes);

    std::size_t size() const noexcept { return size_; }

    bool empty() const noexcept { return size_ == 0; }

    ByteView front() const noexcept;           ///< the next contiguous chunk, at most 16 KB
    void consume(std::size_t count) noexcept;  ///< of front()
    void clear() noexcept;

private:
    struct Piece {
        std::unique_ptr<Block> block;
        std::size_t begin = 0;
        std::size_t end = 0;
    };

    BufferPool* pool_;
    std::deque<Piece> pieces_;
    std::size_t size_ = 0;
};

}  // namespace pgveil::net
