#include "proxy/metrics/histogram.hpp"

#include <algorithm>
#include <numeric>

namespace pgveil::metrics {

std::uint64_t Histogram::Reading::count() const noexcept {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

void Histogram::observe(nanoseconds time) noexcept {
    time = std::max(time, nanoseconds(0));
    const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), time);
    counts_.at(static_cast<std::size_t>(bound - kBounds.begin())).add();
    sum_ns_.add(static_cast<std::uint64_t>(time.count()));
}

void Histogram::add_to(Reading& reading) const noexcept {
    for (std::size_t i = 0; i < kBuckets; ++i) {
        reading.counts.at(i) += counts_.at(i).value();
    }
    reading.sum += nanoseconds(sum_ns_.value());
}

}  // namespace pgveil::metrics
