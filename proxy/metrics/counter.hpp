#pragma once

#include <atomic>
#include <cstdint>

namespace pgveil::metrics {

/// A number that only grows: one thread adds, any thread reads. No lock, and no locked instruction.
class Counter {
public:
    void add(std::uint64_t count = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    }

    std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

}  // namespace pgveil::metrics
