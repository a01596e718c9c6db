#include "keyshare/core/block_cache.hpp"

#include <algorithm>
#include <cstring>

namespace pgveil::core {
namespace {

/// So much is kept of one class, if it is not more than so many blocks, nor less than so many.
constexpr std::size_t kShelfBytes = 4096;
constexpr std::size_t kShelfBlocksMax = 64;
constexpr std::size_t kShelfBlocksMin = 4;

std::size_t room_for(std::size_t size) {
    return std::clamp(kShelfBytes / size, kShelfBlocksMin, kShelfBlocksMax);
}

}  // namespace

void* BlockCache::allocate(std::size_t size) noexcept {
    if (size <= kLargest) {
        const std::uint32_t size_class = BlockAllocator::class_of(size);
        Shelf& shelf = shelves_.at(size_class);
        if (shelf.first != nullptr) {
            return take(shelf, BlockAllocator::size_of(size_class));
        }
    }
    void* block = home_->allocate(size);
    if (block == nullptr && kept() > 0) {
        flush();
        block = home_->allocate(size);
    }
    return block;
}

void BlockCache::release(void* block) noexcept {
    const std::size_t size = home_->capacity_of(block);
    if (size > kLargest) {
        home_->release(block);
        return;
    }
    Shelf& shelf = shelves_.at(BlockAllocator::class_of(size));
    if (shelf.count >= room_for(size)) {
        home_->release(block);
        return;
    }
    explicit_bzero(block, size);
    std::memcpy(block, &shelf.first, sizeof shelf.first);
    shelf.first = block;
    ++shelf.count;
    note_kept(kept() + size);
}

void BlockCache::flush() noexcept {
    for (std::uint32_t size_class = 0; size_class < kClasses; ++size_class) {
        Shelf& shelf = shelves_.at(size_class);
        while (shelf.first != nullptr) {
            home_->release(take(shelf, BlockAllocator::size_of(size_class)));
        }
    }
}

void* BlockCache::take(Shelf& shelf, std::size_t size) noexcept {
    void* const block = shelf.first;
    std::memcpy(&shelf.first, block, sizeof shelf.first);
    void* const nothing = nullptr;
    std::memcpy(block, &nothing, sizeof nothing);  // the rest is zero
    --shelf.count;
    note_kept(kept() - size);
    return block;
}

}  // namespace pgveil::core
