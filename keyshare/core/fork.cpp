#include "keyshare/core/fork.hpp"

#include "keyshare/core/invariant.hpp"

#include <atomic>
#include <pthread.h>

namespace pgveil::core {
namespace {

std::atomic<std::uint64_t>& generation() noexcept {
    static std::atomic<std::uint64_t> count = 0;
    return count;
}

bool watch_forks() noexcept {
    const int failed = pthread_atfork(nullptr, nullptr, [] {
        generation().fetch_add(1, std::memory_order_relaxed);
    });
    invariant(failed == 0, "the fork handler can be registered");
    return true;
}

}  // namespace

std::uint64_t fork_generation() noexcept {
    [[maybe_unused]] static const bool watching = watch_forks();
    return generation().load(std::memory_order_relaxed);
}

}  // namespace pgveil::core
