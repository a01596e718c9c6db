#pragma once

#include "net/stream.hpp"
#include "proxy/session/startup.hpp"
#include "proxy/session/upstream_connection.hpp"

#include <cstddef>
#include <vector>

namespace pgveil::session {

/// Counts the cancels under way on one worker. Belongs to one thread.
class CancelGate {
public:
    explicit CancelGate(std::size_t max = 100) : max_(max) {}

    std::size_t under_way() const { return under_way_; }

    /// False when the cap is reached. Every success needs one leave().
    bool enter();

    void leave() { --under_way_; }

private:
    std::size_t max_;
    std::size_t under_way_ = 0;
};

/// Cancels the statement that a session runs: it takes too long, or its client has vanished and the
/// server would finish it for nobody. On a connection of its own, as forward_cancel. Throws
/// nothing.
net::Awaitable<void> cancel_statement(
    net::Loop& loop, CancelKey key, UpstreamTarget target, CancelGate& gate
);

/// Forwards a CancelRequest on a connection of its own, over TLS as configured, and holds the
/// client's socket until the server has closed its end: libpq reads that as "processed".
/// BackendKeyData passes through the proxy unchanged, so nothing is checked here: each of `targets`
/// is asked in turn, and a server that does not know the key ignores it. Gives up on each after 10
/// s. Beyond the cap the request is dropped. Closes the client in every case; there is no answer,
/// as at the server. Throws nothing.
net::Awaitable<void> forward_cancel(
    net::Stream& client, CancelKey key, std::vector<UpstreamTarget> targets, CancelGate& gate
);

}  // namespace pgveil::session
