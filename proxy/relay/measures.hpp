#pragma once

#include "proxy/relay/session_state.hpp"

#include <optional>

// What a session counts and times for its worker's Tally. The clock is read once per message, or
// once per read of a socket, never per row.
namespace pgveil::relay {

/// A statement goes upstream.
inline void count_sent(const SessionState& state, bool is_protected) {
    metrics::Tally& tally = *state.environment->tally;
    (is_protected ? tally.protected_statements : tally.plain_statements).add();
}

/// ReadyForQuery has come for `expected`; state.transaction is what it said.
inline void count_ready(const SessionState& state, const Expected& expected) {
    metrics::Tally& tally = *state.environment->tally;
    if (expected.injected || expected.sent == metrics::Clock::time_point()) {
        return;
    }
    tally.upstream.observe(metrics::Clock::now() - expected.sent);
    if (state.transaction == wire::TransactionStatus::kIdle) {
        tally.transactions.add();
    }
}

/// Times the values of COPY data that one read of the client has brought.
class CopyWatch {
public:
    explicit CopyWatch(const SessionState& state) {
        if (state.copying != nullptr) {
            metrics::Tally& tally = *state.environment->tally;
            watch_.emplace(tally.seal, tally.values_sealed);
        }
    }

private:
    std::optional<metrics::Stopwatch> watch_;
};

/// Times the values that one read of the server has brought.
class OpenWatch {
public:
    explicit OpenWatch(const SessionState& state) {
        if (state.pending.has_protected_rows() || state.copied != nullptr) {
            metrics::Tally& tally = *state.environment->tally;
            watch_.emplace(tally.open, tally.values_opened);
        }
    }

private:
    std::optional<metrics::Stopwatch> watch_;
};

}  // namespace pgveil::relay
