#pragma once

#include "proxy/metrics/counter.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace pgveil::metrics {

/// Counts by SQLSTATE. One thread counts, any thread reads.
///
/// A server may send anything in its place: only five characters of A-Z and 0-9 are told apart, and
/// of those the first kMax that come. The rest counts as "other", so that nobody can make labels of
/// his own, or ever more of them.
class SqlstateCounter {
public:
    static constexpr std::size_t kMax = 64;
    static constexpr std::string_view kOther = "other";

    using Reading = std::map<std::string, std::uint64_t>;

    void add(std::string_view sqlstate) noexcept;
    void add_to(Reading& reading) const;

private:
    struct Slot {
        std::atomic<std::uint64_t> code{0};  ///< the five characters; 0: free
        Counter count;
    };

    std::array<Slot, kMax> slots_;
    Counter other_;
};

}  // namespace pgveil::metrics
