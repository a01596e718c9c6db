#include "keyshare/core/block_allocator.hpp"

#include "keyshare/core/invariant.hpp"

#include <bit>
#include <cstring>
#include <functional>

namespace pgveil::core {
namespace {

constexpr std::size_t kGrain = 16;
constexpr std::size_t kLinear = 128;  // up to here a class every 16 bytes, above four per doubling
constexpr std::size_t kLinearClasses = kLinear / kGrain;
constexpr std::uint32_t kSmallSpan = 4;

constexpr std::uint32_t class_for(std::size_t size) {
    if (size <= kLinear) {
        return static_cast<std::uint32_t>((size - 1) / kGrain);
    }
    const auto power = static_cast<unsigned>(std::bit_width(size - 1)) - 1;
    const std::size_t quarter = ((size - 1) >> (power - 2)) - 4;
    return static_cast<std::uint32_t>(kLinearClasses + std::size_t{power - 7} * 4 + quarter);
}

constexpr std::size_t class_size(std::uint32_t size_class) {
    if (size_class < kLinearClasses) {
        return (std::size_t{size_class} + 1) * kGrain;
    }
    const std::size_t above = size_class - kLinearClasses;
    return (5 + above % 4) << (5 + above / 4);
}

static_assert(
    class_size(0) == 16 && class_size(7) == 128 && class_size(8) == 160 && class_size(11) == 256
);
static_assert(
    class_for(16) == 0 && class_for(17) == 1 && class_for(128) == 7 && class_for(129) == 8
);
static_assert(class_for(256) == 11 && class_for(257) == 12);
static_assert(class_for(BlockAllocator::kLargest) == BlockAllocator::kClasses - 1);
static_assert(class_size(BlockAllocator::kClasses - 1) == BlockAllocator::kLargest);

// libssl's buffers for a handshake take 5 and 6 pages. With runs of one length each fits where the
// other was; with two lengths a fifth of the room was lost to holes between them.
constexpr std::uint32_t kShorterBuffer = 5;
constexpr std::uint32_t kLongerBuffer = 6;

// The shortest run of pages that wastes at most an eighth, those of libssl's buffers excepted.
constexpr std::uint32_t pages_of(std::uint32_t size_class) {
    const std::size_t size = class_size(size_class);
    if (size == kShorterBuffer * BlockAllocator::kPage) {
        return kLongerBuffer;
    }
    std::size_t pages = (size + BlockAllocator::kPage - 1) / BlockAllocator::kPage;
    while ((pages * BlockAllocator::kPage % size) * 8 > pages * BlockAllocator::kPage) {
        ++pages;
    }
    return static_cast<std::uint32_t>(pages);
}

std::uint32_t blocks_in(std::uint32_t pages, std::uint32_t size_class) {
    return static_cast<std::uint32_t>(pages * BlockAllocator::kPage / class_size(size_class));
}

void* next_of(const void* block) noexcept {
    void* next = nullptr;
    std::memcpy(&next, block, sizeof next);
    return next;
}

void set_next(void* block, void* next) noexcept {
    std::memcpy(block, &next, sizeof next);
}

}  // namespace

std::uint32_t BlockAllocator::class_of(std::size_t size) noexcept {
    return class_for(size);
}

std::size_t BlockAllocator::size_of(std::uint32_t size_class) noexcept {
    return class_size(size_class);
}

BlockAllocator::BlockAllocator(MutableByteView region)
    : region_(region),
      spans_(region.size() / kPage),
      first_page_(region.size() / kPage, kNone),
      taken_(region.size() / kPage, false) {
    invariant(region.size() % kPage == 0, "the arena is a whole number of pages");
    invariant(region.size() / kPage < kNone, "the arena's pages can be numbered");
}

void* BlockAllocator::allocate(std::size_t size) noexcept {
    invariant(size >= 1 && size <= kLargest, "the arena serves 1 byte to 64 KiB");
    const std::uint32_t size_class = class_of(size);
    SizeClass& home = classes_.at(size_class);
    const std::lock_guard guard(home.lock);
    if (home.with_room == kNone && !add_span(size_class)) {
        return nullptr;
    }
    in_use_.fetch_add(size_of(size_class), std::memory_order_relaxed);
    return take_block(home.with_room);
}

void* BlockAllocator::take_block(std::uint32_t span) noexcept {
    Span& run = spans_[span];
    void* block = run.free;
    if (block != nullptr) {
        run.free = next_of(block);
        set_next(block, nullptr);
    } else {
        block = region_.subspan(span * kPage + run.fresh * size_of(run.size_class)).data();
        ++run.fresh;
    }
    ++run.live;
    if (run.free == nullptr && run.fresh == blocks_in(run.pages, run.size_class)) {
        unlink(span);
    }
    return block;
}

void BlockAllocator::release(void* block) noexcept {
    const std::uint32_t span = first_page_[page_of(block)];
    invariant(span != kNone, "a released block was allocated");
    Span& run = spans_[span];
    const std::size_t size = size_of(run.size_class);
    explicit_bzero(block, size);
    SizeClass& home = classes_.at(run.size_class);
    const std::lock_guard guard(home.lock);
    const bool was_full = run.free == nullptr && run.fresh == blocks_in(run.pages, run.size_class);
    set_next(block, run.free);
    run.free = block;
    --run.live;
    in_use_.fetch_sub(size, std::memory_order_relaxed);
    if (was_full) {
        link(span);
    }
    // One empty small span per class stays, so that a lone block does not claim and give back pages
    // in turns.
    const bool is_only = home.with_room == span && run.next == kNone;
    if (run.live == 0 && (!is_only || run.pages > kSmallSpan)) {
        unlink(span);
        give_pages(span, run.pages);
    }
}

bool BlockAllocator::add_span(std::uint32_t size_class) noexcept {
    const std::uint32_t pages = pages_of(size_class);
    const std::uint32_t first = take_pages(pages);
    if (first == kNone) {
        return false;
    }
    spans_[first] = Span{.pages = pages, .size_class = size_class};
    for (std::uint32_t page = first; page < first + pages; ++page) {
        first_page_[page] = first;
    }
    link(first);
    return true;
}

void BlockAllocator::link(std::uint32_t span) noexcept {
    std::uint32_t& head = classes_.at(spans_[span].size_class).with_room;
    spans_[span].previous = kNone;
    spans_[span].next = head;
    if (head != kNone) {
        spans_[head].previous = span;
    }
    head = span;
}

void BlockAllocator::unlink(std::uint32_t span) noexcept {
    const Span& run = spans_[span];
    if (run.previous != kNone) {
        spans_[run.previous].next = run.next;
    } else {
        classes_.at(run.size_class).with_room = run.next;
    }
    if (run.next != kNone) {
        spans_[run.next].previous = run.previous;
    }
}

std::uint32_t BlockAllocator::take_pages(std::uint32_t count) noexcept {
    const std::lock_guard guard(pages_lock_);
    const std::uint32_t first = find_pages(count);
    if (first == kNone) {
        return kNone;
    }
    for (std::uint32_t page = first; page < first + count; ++page) {
        taken_[page] = true;
    }
    claimed_.fetch_add(count * kPage, std::memory_order_relaxed);
    return first;
}

// Small runs come from the low end and long ones from the high end, so that small ones do not cut
// up the room that TLS buffers need.
std::uint32_t BlockAllocator::find_pages(std::uint32_t count) const noexcept {
    const auto total = static_cast<std::uint32_t>(taken_.size());
    const bool from_low = count <= kSmallSpan;
    std::uint32_t run = 0;
    for (std::uint32_t step = 0; step < total; ++step) {
        const std::uint32_t page = from_low ? step : total - 1 - step;
        run = taken_[page] ? 0 : run + 1;
        if (run == count) {
            return from_low ? page + 1 - count : page;
        }
    }
    return kNone;
}

void BlockAllocator::give_pages(std::uint32_t first, std::uint32_t count) noexcept {
    // The links of the free list are all that is left in the wiped blocks.
    for (void* block = spans_[first].free; block != nullptr;) {
        void* const next = next_of(block);
        set_next(block, nullptr);
        block = next;
    }
    const std::lock_guard guard(pages_lock_);
    for (std::uint32_t page = first; page < first + count; ++page) {
        taken_[page] = false;
        first_page_[page] = kNone;
    }
    claimed_.fetch_sub(count * kPage, std::memory_order_relaxed);
}

bool BlockAllocator::owns(const void* block) const noexcept {
    const auto* at = static_cast<const std::uint8_t*>(block);
    return std::less_equal<>{}(region_.data(), at) &&
           std::less<>{}(at, region_.data() + region_.size());
}

std::size_t BlockAllocator::capacity_of(const void* block) const noexcept {
    return size_of(spans_[first_page_[page_of(block)]].size_class);
}

std::uint32_t BlockAllocator::page_of(const void* block) const noexcept {
    const auto* at = static_cast<const std::uint8_t*>(block);
    return static_cast<std::uint32_t>(static_cast<std::size_t>(at - region_.data()) / kPage);
}

}  // namespace pgveil::core
