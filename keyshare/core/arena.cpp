#include "keyshare/core/arena.hpp"

#include "keyshare/core/block_allocator.hpp"
#include "keyshare/core/block_cache.hpp"
#include "keyshare/core/fork.hpp"
#include "keyshare/core/invariant.hpp"
#include "keyshare/core/large_blocks.hpp"
#include "keyshare/core/region.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace pgveil::core {
namespace {

static_assert(kLargeBlock == BlockAllocator::kLargest);

/// The cache of one thread, in the list of all.
struct ListedCache : BlockCache {
    using BlockCache::BlockCache;
    ListedCache* next = nullptr;
};

struct Arena {
    explicit Arena(const Region& region) : mode(region.mode), blocks(region.bytes) {}

    // A forked child has neither the region's content nor locks in a known state.
    bool is_gone() const noexcept { return fork_generation() != generation; }

    void enlist(ListedCache& cache) noexcept {
        const std::lock_guard guard(caches_lock);
        cache.next = caches;
        caches = &cache;
    }

    void strike(const ListedCache& cache) noexcept {
        const std::lock_guard guard(caches_lock);
        ListedCache** at = &caches;
        while (*at != &cache) {
            at = &(*at)->next;
        }
        *at = cache.next;
    }

    /// In all caches.
    std::size_t kept() noexcept {
        const std::lock_guard guard(caches_lock);
        std::size_t sum = 0;
        for (const ListedCache* cache = caches; cache != nullptr; cache = cache->next) {
            sum += cache->kept();
        }
        return sum;
    }

    ArenaMode mode;
    std::uint64_t generation = fork_generation();
    BlockAllocator blocks;
    LargeBlocks large;
    std::atomic<std::size_t> refused = 0;
    std::mutex caches_lock;
    ListedCache* caches = nullptr;
};

// Never destroyed: libcrypto frees its own objects after the last destructor of this program.
std::atomic<Arena*>& installed_arena() noexcept {
    static std::atomic<Arena*> arena = nullptr;
    return arena;
}

Arena* usable_arena() noexcept {
    Arena* arena = installed_arena().load(std::memory_order_acquire);
    return arena == nullptr || arena->is_gone() ? nullptr : arena;
}

/// libcrypto still frees its own when the thread's cache is gone.
thread_local bool cache_is_gone = false;

/// The thread's cache, once it has one: a plain pointer is found without asking whether to make it.
thread_local constinit BlockCache* cache_at_hand = nullptr;

class OwnCache {
public:
    explicit OwnCache(Arena& arena) noexcept : arena_(&arena), cache_(arena.blocks) {
        arena.enlist(cache_);
    }

    OwnCache(const OwnCache&) = delete;
    OwnCache& operator=(const OwnCache&) = delete;
    OwnCache(OwnCache&&) = delete;
    OwnCache& operator=(OwnCache&&) = delete;

    ~OwnCache() {
        cache_is_gone = true;
        cache_at_hand = nullptr;
        if (!arena_->is_gone()) {
            cache_.flush();
            arena_->strike(cache_);
        }
    }

    BlockCache& cache() noexcept { return cache_; }

private:
    Arena* arena_;
    ListedCache cache_;
};

/// Null at the end of the thread.
BlockCache* cache_of_thread(Arena& arena) noexcept {
    if (cache_at_hand != nullptr || cache_is_gone) {
        return cache_at_hand;
    }
    thread_local OwnCache own(arena);
    cache_at_hand = &own.cache();
    return cache_at_hand;
}

void* allocate_block(Arena& arena, std::size_t size) noexcept {
    BlockCache* const cache = cache_of_thread(arena);
    return cache == nullptr ? arena.blocks.allocate(size) : cache->allocate(size);
}

void release_block(Arena& arena, void* block) noexcept {
    BlockCache* const cache = cache_of_thread(arena);
    cache == nullptr ? arena.blocks.release(block) : cache->release(block);
}

void* allocate_from(Arena& arena, std::size_t size) noexcept {
    void* block = size > kLargeBlock ? arena.large.allocate(size) : allocate_block(arena, size);
    if (block == nullptr) {
        arena.refused.fetch_add(1, std::memory_order_relaxed);
    }
    return block;
}

/// This part of the region is for libcrypto: a session whose secret finds no room ends, but most of
/// what libcrypto makes has no such way out.
constexpr std::size_t kReservedPart = 16;

bool leaves_reserve(const Arena& arena, std::size_t size) noexcept {
    const std::size_t whole = arena.blocks.region().size();
    return size > kLargeBlock || arena.blocks.claimed() + size <= whole - whole / kReservedPart;
}

void* allocate_unreserved(Arena& arena, std::size_t size) noexcept {
    if (leaves_reserve(arena, size)) {
        return allocate_from(arena, size);
    }
    arena.refused.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
}

void* allocate_on_heap(std::size_t size) noexcept {
    return std::calloc(1, size);  // NOLINT(*-no-malloc,*-owning-memory): freed by free_secret()
}

void release_to(Arena& arena, void* block) noexcept {
    if (arena.blocks.owns(block)) {
        release_block(arena, block);
        return;
    }
    invariant(arena.large.release(block), "libcrypto frees only what it got from the arena");
}

std::size_t capacity_in(Arena& arena, const void* block) noexcept {
    return arena.blocks.owns(block) ? arena.blocks.capacity_of(block)
                                    : arena.large.capacity_of(block);
}

// False when the block came from the heap: from before the arena, or in a forked child.
bool release_secret_to(Arena& arena, void* block, std::size_t size) noexcept {
    const bool in_region = arena.blocks.owns(block);
    if (arena.is_gone()) {
        return in_region || size > kLargeBlock;
    }
    if (in_region) {
        release_block(arena, block);
        return true;
    }
    return size > kLargeBlock && arena.large.release(block);
}

// The three hooks of CRYPTO_set_mem_functions. In a forked child libcrypto's own state is gone with
// the region, so what it still asks for comes from the heap and what it frees is left alone.
void* hook_malloc(std::size_t size, const char* /*file*/, int /*line*/) {
    if (size == 0) {
        return nullptr;
    }
    Arena* arena = usable_arena();
    return arena != nullptr ? allocate_from(*arena, size) : allocate_on_heap(size);
}

void hook_free(void* block, const char* /*file*/, int /*line*/) {
    Arena* arena = usable_arena();
    if (block != nullptr && arena != nullptr) {
        release_to(*arena, block);
    }
}

void* hook_realloc(void* block, std::size_t size, const char* file, int line) {
    if (block == nullptr) {
        return hook_malloc(size, file, line);
    }
    if (size == 0) {
        hook_free(block, file, line);
        return nullptr;
    }
    Arena* arena = usable_arena();
    if (arena == nullptr) {
        return nullptr;
    }
    const std::size_t capacity = capacity_in(*arena, block);
    if (size <= capacity) {
        return block;
    }
    void* bigger = allocate_from(*arena, size);
    if (bigger != nullptr) {
        std::memcpy(bigger, block, capacity);
        release_to(*arena, block);
    }
    return bigger;
}

}  // namespace

std::string name_of(ArenaMode mode) {
    switch (mode) {
        case ArenaMode::kAuto: return "auto";
        case ArenaMode::kMemfdSecret: return "memfd_secret";
        case ArenaMode::kMlock: return "mlock";
        case ArenaMode::kUnlocked: return "unlocked";
    }
    return "unknown";
}

Result<ArenaReport> install_arena(const ArenaOptions& options) {
    if (installed_arena().load() != nullptr) {
        return Error{ErrorCode::kMemory, "the key arena is already installed"};
    }
    auto region = map_region(options.mode, options.size);
    if (!region.has_value()) {
        return region.error();
    }
    // NOLINTNEXTLINE(*-owning-memory): never destroyed, as said above
    installed_arena().store(new Arena(*region), std::memory_order_release);
    if (CRYPTO_set_mem_functions(hook_malloc, hook_realloc, hook_free) != 1) {
        return Error{
            ErrorCode::kMemory,
            "libcrypto has allocated before the key arena was installed: its keys would lie "
            "outside"};
    }
    return arena_report();
}

ArenaReport arena_report() {
    Arena* arena = usable_arena();
    if (arena == nullptr) {
        return {};
    }
    const std::size_t in_use = arena->blocks.in_use();
    return {
        .mode = arena->mode,
        .installed = true,
        .size = arena->blocks.region().size(),
        .in_use = in_use - std::min(in_use, arena->kept()),
        .claimed = arena->blocks.claimed(),
        .large = arena->large.in_use(),
        .large_unlocked = arena->large.unlocked(),
        .refused = arena->refused.load(std::memory_order_relaxed)};
}

void for_each_region(const std::function<void(ByteView)>& visit) {
    Arena* arena = usable_arena();
    if (arena != nullptr) {
        visit(arena->blocks.region());
        arena->large.for_each(visit);
    }
}

void* allocate_secret(std::size_t size) noexcept {
    if (size == 0) {
        return nullptr;
    }
    Arena* arena = usable_arena();
    return arena != nullptr ? allocate_unreserved(*arena, size) : allocate_on_heap(size);
}

void free_secret(void* block, std::size_t size) noexcept {
    if (block == nullptr) {
        return;
    }
    Arena* arena = installed_arena().load(std::memory_order_acquire);
    if (arena != nullptr && release_secret_to(*arena, block, size)) {
        return;
    }
    explicit_bzero(block, size);
    std::free(block);  // NOLINT(*-no-malloc,*-owning-memory)
}

}  // namespace pgveil::core
