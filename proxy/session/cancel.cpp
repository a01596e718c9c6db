#include "proxy/session/cancel.hpp"

#include "proxy/log/log.hpp"
#include "proxy/wire/startup.hpp"

#include <boost/system/system_error.hpp>

#include <utility>

namespace pgveil::session {

namespace {

constexpr net::Duration kCancelTime{10000};

class InFlight {
public:
    explicit InFlight(CancelGate& gate) : gate_(&gate), entered_(gate.enter()) {}

    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    InFlight(InFlight&&) = delete;
    InFlight& operator=(InFlight&&) = delete;

    ~InFlight() {
        if (entered_) {
            gate_->leave();
        }
    }

    bool is_allowed() const { return entered_; }

private:
    CancelGate* gate_;
    bool entered_;
};

void log_lost(const boost::system::system_error& lost) {
    log::debug("a cancel was lost: {reason}", {{"reason", lost.code().message()}});
}

/// Sends the request and waits for the server's end of the connection.
net::Awaitable<void> deliver(UpstreamConnection& connection, const CancelKey& key) {
    connection.stream->set_deadline(kCancelTime);
    wire::Output request;
    wire::append_cancel_request(request, wire::CancelRequest{key.process_id, key.secret});
    connection.stream->send(request.bytes());
    bool has_ended = false;
    while (!has_ended) {
        co_await connection.stream->readable();
        has_ended = connection.stream->read_some(*connection.input).end;
        connection.input->release();
    }
}

}  // namespace

bool CancelGate::enter() {
    if (under_way_ >= max_) {
        return false;
    }
    ++under_way_;
    return true;
}

net::Awaitable<void> cancel_statement(
    net::Loop& loop, CancelKey key, UpstreamTarget target, CancelGate& gate
) {
    const InFlight in_flight(gate);
    if (!in_flight.is_allowed()) {
        co_return;
    }
    try {
        auto opened = co_await open_upstream(loop, std::move(target));
        if (opened.has_value()) {
            UpstreamConnection connection = std::move(*opened);
            co_await deliver(connection, key);
        }
    } catch (const boost::system::system_error& lost) {
        // A cancel has no answer: whatever failed, the client learns it from its running query.
        log_lost(lost);
    }
}

net::Awaitable<void> forward_cancel(
    net::Stream& client, CancelKey key, std::vector<UpstreamTarget> targets, CancelGate& gate
) {
    for (const UpstreamTarget& target : targets) {
        co_await cancel_statement(client.loop(), key, target, gate);
    }
    try {
        co_await client.finish_output();
    } catch (const boost::system::system_error&) {
        client.close();
    }
    client.close();
}

}  // namespace pgveil::session
