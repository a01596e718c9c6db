#pragma once

#include "proxy/metrics/counter.hpp"
#include "proxy/metrics/histogram.hpp"
#include "proxy/metrics/sqlstate_counter.hpp"

#include <cstddef>

namespace pgveil::metrics {

inline constexpr std::size_t kCacheLine = 64;

/// What one worker counts and times since its start. The worker's thread writes, any thread reads;
/// no member holds anything of a statement, a value or a user.
struct alignas(kCacheLine) Tally {
    Counter connections;  ///< accepted
    Counter sessions;     ///< logged in on both legs
    SqlstateCounter failed_logins;
    Counter cancels;  ///< requests that came

    Counter transactions;  ///< ended, a statement outside of a block included
    Counter plain_statements;
    Counter protected_statements;  ///< sent upstream, as are the plain ones
    SqlstateCounter refusals;
    Counter repeated_values;
    Counter values_sealed;
    Counter values_opened;
    Counter plans_reused;  ///< from the plan cache

    // Bytes of logged-in sessions, before TLS.
    Counter client_received;
    Counter client_sent;
    Counter upstream_received;
    Counter upstream_sent;

    Histogram parse;     ///< one text: read, resolved, planned
    Histogram key;       ///< rebuilding TK for one request
    Histogram seal;      ///< the values of one message, or of one read of COPY data
    Histogram upstream;  ///< one request: from when it left to its ReadyForQuery
    Histogram open;      ///< the values that came with one read of the server
};

}  // namespace pgveil::metrics
