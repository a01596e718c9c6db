#pragma once

#include "net/stream.hpp"
#include "proxy/session/startup.hpp"
#include "proxy/session/upstream_connection.hpp"

#include <cstddef>

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

/// Forwards a CancelRequest on a connection of its own, over TLS as configured, and holds the
/// client's socket until the server has closed its end: libpq reads that as "processed".
/// BackendKeyData passes through the proxy unchanged, so nothing has to be remembered and nothing
/// is checked here. Gives up after 10 s. Beyond the cap the request is dropped. Closes the client
/// in every case; there is no answer, as at the server. Throws nothing.
net::Awaitable<void> forward_cancel(
    net::Stream& client, CancelKey key, UpstreamTarget target, CancelGate& gate
);

}  // namespace pgveil::session
