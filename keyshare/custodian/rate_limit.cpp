#include "keyshare/custodian/rate_limit.hpp"

#include <algorithm>

namespace pgveil::custodian {

void RateLimit::Counter::advance(std::int64_t now_s) {
    if (now_s - last_s >= static_cast<std::int64_t>(kSeconds)) {
        of_second.fill(0);
        total = 0;
        last_s = now_s;
    }
    while (last_s < now_s) {
        ++last_s;
        std::uint32_t& oldest = of_second.at(static_cast<std::size_t>(last_s) % kSeconds);
        total -= oldest;
        oldest = 0;
    }
}

void RateLimit::Counter::count() {
    ++of_second.at(static_cast<std::size_t>(last_s) % kSeconds);
    ++total;
}

/// Until so many of the oldest have left the window that one more fits.
std::uint32_t RateLimit::Counter::wait(std::uint32_t per_minute) const {
    std::uint64_t left = total;
    for (std::uint32_t seconds = 1; seconds < kSeconds; ++seconds) {
        left -= of_second.at((static_cast<std::size_t>(last_s) + seconds) % kSeconds);
        if (left < per_minute) {
            return seconds;
        }
    }
    return kSeconds;
}

std::uint32_t RateLimit::take(
    const std::string& who, std::uint32_t per_minute, std::int64_t now_s
) {
    Counter& counter = counters_[who];
    counter.advance(now_s);
    if (counter.total >= per_minute) {
        return counter.wait(per_minute);
    }
    counter.count();
    return 0;
}

void RateLimit::note(const std::string& who, std::int64_t at_s) {
    Counter& counter = counters_[who];
    counter.advance(at_s);
    counter.count();
}

}  // namespace pgveil::custodian
