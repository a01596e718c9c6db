#pragma once

#include "proxy/metrics/tally.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

/// proxy/metrics/: what operators may know of a running proxy. Pure: no socket and no file.
///   Counter, Histogram, SqlstateCounter   numbers of one thread
///   Stopwatch                             times into a Histogram
///   Tally                                 all numbers of one worker
///   Exposition                            Prometheus' text format
///   Registry                              the tallies of all workers, as text
namespace pgveil::metrics {

/// What is true of the whole proxy at one moment, beside what its workers count.
struct Standing {
    std::string_view version;
    std::uint64_t start_time_s = 0;  ///< Unix time
    std::uint64_t sessions = 0;
    std::uint64_t sessions_max = 0;
    std::uint64_t active_users = 0;
    std::uint64_t withdrawn_users = 0;
    std::uint64_t arena_bytes = 0;
    std::uint64_t arena_used_bytes = 0;
    std::uint64_t arena_refusals = 0;
    std::uint64_t poison_alarms = 0;
    std::uint64_t failed_opens_alarms = 0;
    std::uint64_t denied_alarms = 0;
    std::uint64_t locked_users = 0;
    bool store_is_in_order = true;
    bool is_draining = false;
};

/// The tallies of all workers. Any thread.
class Registry {
public:
    /// A worker's own. It stays counted when the worker is gone.
    std::shared_ptr<Tally> add_tally();

    /// All of it in Prometheus' text format. Names follow pgbouncer_exporter's where both mean the
    /// same. Labels hold words of ours and SQLSTATEs, never a literal, a value or a name.
    std::string text(const Standing& standing) const;

private:
    mutable std::mutex mutex_;  ///< of the list; what it holds needs none
    std::vector<std::shared_ptr<Tally>> tallies_;
};

}  // namespace pgveil::metrics
