#pragma once

#include "keyshare/core/block_allocator.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pgveil::core {

/// Small blocks that one thread has released and will soon want again: most allocations of a
/// request then take no lock. They are wiped when released, as in the allocator itself, and at most
/// about 120 KB of them are kept. For one thread, except kept(). Flush it before it goes.
class BlockCache {
public:
    /// `home` outlives the cache.
    explicit BlockCache(BlockAllocator& home) noexcept : home_(&home) {}

    BlockCache(const BlockCache&) = delete;
    BlockCache& operator=(const BlockCache&) = delete;
    BlockCache(BlockCache&&) = delete;
    BlockCache& operator=(BlockCache&&) = delete;
    ~BlockCache() = default;

    /// As BlockAllocator::allocate(). Where that finds no room, what is kept is given back first.
    void* allocate(std::size_t size) noexcept;
    /// `block` came from allocate() of any cache of this home, or of the home itself.
    void release(void* block) noexcept;
    /// Gives back all that is kept.
    void flush() noexcept;

    /// Bytes that the home counts as in use, and nobody uses. Any thread.
    std::size_t kept() const noexcept { return kept_.load(std::memory_order_relaxed); }

private:
    static constexpr std::size_t kLargest = 5120;
    static constexpr std::size_t kClasses = 29;  // those of the allocator up to kLargest

    struct Shelf {
        void* first = nullptr;
        std::uint32_t count = 0;
    };

    /// Its first block.
    void* take(Shelf& shelf, std::size_t size) noexcept;

    void note_kept(std::size_t bytes) noexcept { kept_.store(bytes, std::memory_order_relaxed); }

    BlockAllocator* home_;
    std::array<Shelf, kClasses> shelves_{};
    std::atomic<std::size_t> kept_ = 0;  // written by the thread of the cache alone
};

}  // namespace pgveil::core
