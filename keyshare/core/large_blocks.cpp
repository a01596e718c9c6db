#include "keyshare/core/large_blocks.hpp"

#include "keyshare/core/region.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <sys/mman.h>

namespace pgveil::core {

void* LargeBlocks::allocate(std::size_t size) noexcept {
    const std::size_t rounded = round_to_pages(size);
    if (rounded < size) {
        return nullptr;
    }
    void* at = mmap(nullptr, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (is_failed(at)) {
        return nullptr;
    }
    static_cast<void>(madvise(at, rounded, MADV_DONTDUMP));
    static_cast<void>(madvise(at, rounded, MADV_WIPEONFORK));
    const bool locked = mlock2(at, rounded, 0) == 0;
    const std::lock_guard guard(lock_);
    blocks_.push_back({{static_cast<std::uint8_t*>(at), rounded}, locked});
    return at;
}

bool LargeBlocks::release(void* block) noexcept {
    const std::lock_guard guard(lock_);
    const auto found = find(block);
    if (found == blocks_.end()) {
        return false;
    }
    explicit_bzero(block, found->bytes.size());
    static_cast<void>(munmap(block, found->bytes.size()));
    blocks_.erase(found);
    return true;
}

std::size_t LargeBlocks::capacity_of(const void* block) noexcept {
    const std::lock_guard guard(lock_);
    const auto found = find(block);
    return found == blocks_.end() ? 0 : found->bytes.size();
}

std::size_t LargeBlocks::in_use() noexcept {
    const std::lock_guard guard(lock_);
    return std::accumulate(
        blocks_.begin(),
        blocks_.end(),
        std::size_t{0},
        [](std::size_t sum, const Block& each) { return sum + each.bytes.size(); }
    );
}

std::size_t LargeBlocks::unlocked() noexcept {
    const std::lock_guard guard(lock_);
    return std::accumulate(
        blocks_.begin(),
        blocks_.end(),
        std::size_t{0},
        [](std::size_t sum, const Block& each) {
            return sum + (each.locked ? 0 : each.bytes.size());
        }
    );
}

void LargeBlocks::for_each(const std::function<void(ByteView)>& visit) {
    const std::lock_guard guard(lock_);
    for (const Block& each : blocks_) {
        visit(each.bytes);
    }
}

std::vector<LargeBlocks::Block>::iterator LargeBlocks::find(const void* block) noexcept {
    return std::find_if(blocks_.begin(), blocks_.end(), [block](const Block& each) {
        return each.bytes.data() == block;
    });
}

}  // namespace pgveil::core
