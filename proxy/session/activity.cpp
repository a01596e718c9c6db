#include "proxy/session/activity.hpp"

namespace pgveil::session {

namespace {

std::uint64_t microseconds(net::Clock::duration time) {
    const auto count = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
    return count > 0 ? static_cast<std::uint64_t>(count) : 0;
}

Phase phase_of(const Activity::Sight& sight) {
    if (sight.awaits_answer) {
        return Phase::kActive;
    }
    return sight.in_transaction ? Phase::kIdleInTransaction : Phase::kIdle;
}

std::uint32_t limit_of(Phase phase, const config::TimeoutSettings& settings) {
    switch (phase) {
        case Phase::kIdle: return settings.idle_ms;
        case Phase::kIdleInTransaction: return settings.idle_in_transaction_ms;
        case Phase::kActive: break;
    }
    return settings.statement_ms;
}

}  // namespace

std::string_view name_of(Phase phase) {
    switch (phase) {
        case Phase::kIdle: return "idle";
        case Phase::kIdleInTransaction: return "idle in transaction";
        case Phase::kActive: break;
    }
    return "active";
}

void Activity::observe(const Sight& sight, Time now) {
    const Phase phase = phase_of(sight);
    const bool is_new = phase != phase_ || sight.answered != answered_;
    if (is_new && phase_ == Phase::kActive) {
        request_us_ += microseconds(now - since_);
    }
    if (is_new) {
        phase_ = phase;
        since_ = now;
        answered_ = sight.answered;
    }
    // A statement outside a transaction block is a transaction, too.
    const bool in_transaction = sight.in_transaction || sight.awaits_answer;
    if (in_transaction && !in_transaction_) {
        transaction_since_ = now;
    } else if (!in_transaction && in_transaction_) {
        transaction_us_ += microseconds(now - transaction_since_);
    }
    in_transaction_ = in_transaction;
}

std::optional<Activity::Time> time_limit(
    const Activity& activity, const config::TimeoutSettings& settings
) {
    const std::uint32_t limit_ms = limit_of(activity.phase(), settings);
    if (limit_ms == 0) {
        return std::nullopt;
    }
    return activity.since() + net::Duration(limit_ms);
}

}  // namespace pgveil::session
