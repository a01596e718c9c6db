#pragma once

#include "keyshare/core/bytes.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace pgveil::core {

/// Size-class allocator over one fixed region; its bookkeeping lies outside the region, except that
/// a free block's first bytes point to the next free block.
///
/// Blocks are wiped when released and zero when allocated. Thread-safe: one lock per size class,
/// one for the pages.
class BlockAllocator {
public:
    static constexpr std::size_t kPage = 4096;
    static constexpr std::size_t kLargest = std::size_t{64} * 1024;
    static constexpr std::size_t kClasses = 44;

    /// `region` is page-aligned, zero, a multiple of kPage long, and outlives the allocator.
    explicit BlockAllocator(MutableByteView region);

    /// 1 to kLargest bytes, 16-byte aligned; nullptr when no room is left.
    void* allocate(std::size_t size) noexcept;
    /// `block` came from allocate() of this object and is live.
    void release(void* block) noexcept;

    /// The number of the size class that serves `size` bytes (1 to kLargest), and the size of its
    /// blocks.
    static std::uint32_t class_of(std::size_t size) noexcept;
    static std::size_t size_of(std::uint32_t size_class) noexcept;

    bool owns(const void* block) const noexcept;
    /// Usable bytes of a live block: at least what was asked for.
    std::size_t capacity_of(const void* block) const noexcept;

    MutableByteView region() const noexcept { return region_; }

    std::size_t in_use() const noexcept { return in_use_.load(std::memory_order_relaxed); }

    std::size_t claimed() const noexcept { return claimed_.load(std::memory_order_relaxed); }

private:
    static constexpr std::uint32_t kNone = 0xFFFFFFFF;

    /// A run of pages cut into blocks of one class, described at the index of its first page.
    struct Span {
        std::uint32_t pages = 0;
        std::uint32_t size_class = 0;
        std::uint32_t live = 0;
        std::uint32_t fresh = 0;  ///< blocks from here on were never handed out
        void* free = nullptr;
        std::uint32_t previous = kNone;
        std::uint32_t next = kNone;
    };

    struct SizeClass {
        std::mutex lock;
        std::uint32_t with_room = kNone;  ///< list of spans that have a free block
    };

    std::uint32_t take_pages(std::uint32_t count) noexcept;
    std::uint32_t find_pages(std::uint32_t count) const noexcept;
    void give_pages(std::uint32_t first, std::uint32_t count) noexcept;
    bool add_span(std::uint32_t size_class) noexcept;
    void link(std::uint32_t span) noexcept;
    void unlink(std::uint32_t span) noexcept;
    void* take_block(std::uint32_t span) noexcept;
    std::uint32_t page_of(const void* block) const noexcept;

    MutableByteView region_;
    std::array<SizeClass, kClasses> classes_;
    std::vector<Span> spans_;
    std::vector<std::uint32_t> first_page_;
    std::mutex pages_lock_;
    std::vector<bool> taken_;
    std::atomic<std::size_t> in_use_ = 0;
    std::atomic<std::size_t> claimed_ = 0;
};

}  // namespace pgveil::core
