#pragma once

#include "keyshare/core/bytes.hpp"

#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

namespace pgveil::core {

/// Blocks above the arena's largest size class, one mapping each: outside core dumps, wiped on fork
/// and on release, locked as far as the kernel allows. Thread-safe.
class LargeBlocks {
public:
    /// Zeroed; nullptr when the kernel gives no memory.
    void* allocate(std::size_t size) noexcept;
    /// False, and nothing done, when the block is not one of these.
    bool release(void* block) noexcept;
    /// 0 when the block is not one of these.
    std::size_t capacity_of(const void* block) noexcept;

    std::size_t in_use() noexcept;
    std::size_t unlocked() noexcept;
    void for_each(const std::function<void(ByteView)>& visit);

private:
    struct Block {
        MutableByteView bytes;
        bool locked = false;
    };

    std::vector<Block>::iterator find(const void* block) noexcept;

    std::mutex lock_;
    std::vector<Block> blocks_;
};

}  // namespace pgveil::core
