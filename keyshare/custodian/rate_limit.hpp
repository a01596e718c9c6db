#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

namespace pgveil::custodian {

/// How often somebody may do something in any 60 seconds, counted by the second. In memory; one
/// thread. A clock that is set back counts on from where it was.
class RateLimit {
public:
    /// 0: once more is allowed, and counted. Else the seconds until it may be.
    std::uint32_t take(const std::string& who, std::uint32_t per_minute, std::int64_t now_s);
    /// Counts what was done before this program began.
    void note(const std::string& who, std::int64_t at_s);

private:
    static constexpr std::size_t kSeconds = 60;

    struct Counter {
        std::array<std::uint32_t, kSeconds> of_second{};
        std::int64_t last_s = 0;
        std::uint64_t total = 0;

        void advance(std::int64_t now_s);
        void count();
        std::uint32_t wait(std::uint32_t per_minute) const;
    };

    std::map<std::string, Counter> counters_;
};

}  // namespace pgveil::custodian
