#pragma once

#include "config/settings.hpp"
#include "net/loop.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace pgveil::session {

/// What a session is doing, in the words of pg_stat_activity.
enum class Phase { kIdle, kActive, kIdleInTransaction };

/// "idle", "active", "idle in transaction".
std::string_view name_of(Phase phase);

/// What one session has done and is doing, as seen between its turns. Asks no clock: times are
/// those of the loop, read once per wake-up. Belongs to the session's worker.
class Activity {
public:
    using Time = net::Clock::time_point;

    /// What there is to see.
    struct Sight {
        bool awaits_answer = false;  ///< of the server
        bool in_transaction = false;
        std::uint64_t answered = 0;  ///< requests, since the session began
    };

    explicit Activity(Time now) : since_(now), transaction_since_(now) {}

    void observe(const Sight& sight, Time now);

    Phase phase() const { return phase_; }

    /// When the phase began; a new request after an answer begins a phase of its own.
    Time since() const { return since_; }

    /// Of all requests, and of all transactions, that have ended.
    std::uint64_t request_us() const { return request_us_; }

    std::uint64_t transaction_us() const { return transaction_us_; }

private:
    Phase phase_ = Phase::kIdle;
    Time since_;
    bool in_transaction_ = false;
    Time transaction_since_;
    std::uint64_t answered_ = 0;
    std::uint64_t request_us_ = 0;
    std::uint64_t transaction_us_ = 0;
};

/// When the phase has lasted too long by these settings; nothing if it may last for ever.
std::optional<Activity::Time> time_limit(
    const Activity& activity, const config::TimeoutSettings& settings
);

}  // namespace pgveil::session
