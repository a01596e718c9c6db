#pragma once

#include "proxy/metrics/counter.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pgveil::metrics {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

/// How often something took how long, in fixed buckets. One thread observes, any thread reads.
class Histogram {
public:
    /// Upper ends of the buckets, which belong to them: 2.5 us to 10 s. One more bucket has no end.
    static constexpr std::array<nanoseconds, 21> kBounds = {
        nanoseconds(2'500),         nanoseconds(5'000),         nanoseconds(10'000),
        nanoseconds(25'000),        nanoseconds(50'000),        nanoseconds(100'000),
        nanoseconds(250'000),       nanoseconds(500'000),       nanoseconds(1'000'000),
        nanoseconds(2'500'000),     nanoseconds(5'000'000),     nanoseconds(10'000'000),
        nanoseconds(25'000'000),    nanoseconds(50'000'000),    nanoseconds(100'000'000),
        nanoseconds(250'000'000),   nanoseconds(500'000'000),   nanoseconds(1'000'000'000),
        nanoseconds(2'500'000'000), nanoseconds(5'000'000'000), nanoseconds(10'000'000'000)};
    static constexpr std::size_t kBuckets = kBounds.size() + 1;

    /// What several histograms say together.
    struct Reading {
        std::array<std::uint64_t, kBuckets> counts{};  ///< per bucket, not cumulative
        nanoseconds sum{0};

        std::uint64_t count() const noexcept;
    };

    /// A time below zero counts as zero.
    void observe(nanoseconds time) noexcept;

    /// While somebody observes, a bucket may already count what the sum does not have yet.
    void add_to(Reading& reading) const noexcept;

private:
    std::array<Counter, kBuckets> counts_;
    Counter sum_ns_;
};

/// Times one piece of work, from its construction to its destruction: two readings of the clock.
class Stopwatch {
public:
    explicit Stopwatch(Histogram& histogram) noexcept : Stopwatch(histogram, nullptr) {}

    /// Observed only if `done` has grown meanwhile.
    Stopwatch(Histogram& histogram, const Counter& done) noexcept : Stopwatch(histogram, &done) {}

    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;
    Stopwatch(Stopwatch&&) = delete;
    Stopwatch& operator=(Stopwatch&&) = delete;

    ~Stopwatch() {
        if (done_ == nullptr || done_->value() != before_) {
            histogram_->observe(Clock::now() - started_);
        }
    }

private:
    Stopwatch(Histogram& histogram, const Counter* done) noexcept
        : histogram_(&histogram),
          done_(done),
          before_(done == nullptr ? 0 : done->value()),
          started_(Clock::now()) {}

    Histogram* histogram_;
    const Counter* done_;
    std::uint64_t before_;
    Clock::time_point started_;
};

}  // namespace pgveil::metrics
