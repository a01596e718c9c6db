#pragma once

#include "net/buffer.hpp"
#include "net/stream.hpp"
#include "net/timer.hpp"
#include "proxy/relay/relay.hpp"
#include "proxy/session/login.hpp"
#include "proxy/session/startup.hpp"
#include "proxy/session/upstream_login.hpp"
#include "proxy/session/worker.hpp"

#include <memory>
#include <string>

/// proxy/session/: one client and its upstream, from accept to close.
///   Worker            a thread: event loop, listener, sessions         (worker.hpp)
///   Session           one client and its upstream                      (here)
///   accept_startup    SSLRequest, GSSENCRequest, Cancel, Startup       (startup.hpp)
///   authenticate_client, ScramServer, Users    who the client is       (login.hpp, ...)
///   connect_upstream, UpstreamHandshake        logging in as the client (upstream_login.hpp, ...)
///   forward_cancel    a CancelRequest on its way                       (cancel.hpp)
///   serve_bootstrap   database pgveil, user bootstrap                  (bootstrap_endpoint.hpp)
///   Snapshot          what a reload swaps                              (snapshot.hpp)
///   Service           what all workers share                           (service.hpp)
///   ZoneFiles         time zones of the machine                        (zone_files.hpp)
namespace pgveil::session {

/// One logged-in client and its upstream connection: two pumps, and the relay that decides.
///
/// Each pump reads one side and hands the bytes to the relay; what the relay says to either side is
/// sent at once, and a pump whose output is not taken stops reading. Belongs to one worker.
class Session {
public:
    Session(Worker& worker, net::Stream& client, net::Buffer& input);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    Session(Session&&) = delete;
    Session& operator=(Session&&) = delete;
    ~Session();

    /// Logs in on both legs and relays until one side ends. Throws boost::system::system_error
    /// when the network fails.
    net::Awaitable<void> run(ClientStartup startup);

    /// Ends the session as soon as it is outside a transaction (57P01).
    void drain();

private:
    net::Awaitable<bool> log_in(ClientStartup startup);
    net::Awaitable<void> pump_requests();
    net::Awaitable<void> pump_replies();
    void take_turn(void (Session::*feed)());
    void feed_requests();
    void feed_replies();
    void greet(UpstreamReady& ready);
    void settle();
    bool is_over() const;
    bool may_end_now() const;
    void end(std::string_view sqlstate, std::string_view message);
    void log(std::string_view event) const;

    Worker* worker_;
    net::Stream* client_;
    net::Buffer* input_;
    UpstreamConnection upstream_;
    std::unique_ptr<relay::Relay> relay_;
    relay::Outgoing to_client_;
    relay::Outgoing to_upstream_;
    net::Waiter unblocked_;
    net::Timer idle_;
    std::string id_;
    bool ended_ = false;
    bool counted_ = false;  ///< against limits.sessions
    bool entered_ = false;  ///< known to the worker, for drain
};

/// A connection from accept to close: cancel, bootstrap or session. Throws nothing.
net::Awaitable<void> run_session(Worker& worker, std::unique_ptr<net::Stream> client);

}  // namespace pgveil::session
