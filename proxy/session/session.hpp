#pragma once

#include "net/buffer.hpp"
#include "net/stream.hpp"
#include "net/timer.hpp"
#include "proxy/relay/relay.hpp"
#include "proxy/session/activity.hpp"
#include "proxy/session/login.hpp"
#include "proxy/session/login_error.hpp"
#include "proxy/session/startup.hpp"
#include "proxy/session/upstream_login.hpp"
#include "proxy/session/worker.hpp"

#include <memory>
#include <optional>
#include <string>

/// proxy/session/: one client and its upstream, from accept to close.
///   Worker            a thread: event loop, listener, sessions         (worker.hpp)
///   run_session       what a connection turns out to be                (connection.hpp)
///   Session           one client and its upstream                      (here)
///   accept_startup    SSLRequest, GSSENCRequest, Cancel, Startup       (startup.hpp)
///   Replication       who may be a replication connection              (replication.hpp)
///   authenticate_client, ScramServer, Users    who the client is       (login.hpp, ...)
///   connect_upstream, UpstreamHandshake        logging in as the client (upstream_login.hpp, ...)
///   connect_to_any, HostOrder                  several servers          (upstream_hosts.hpp)
///   forward_cancel    a CancelRequest on its way                       (cancel.hpp)
///   serve_bootstrap   database pgveil, user bootstrap                  (bootstrap_endpoint.hpp)
///   serve_console     database pgveil, everybody else                  (console_endpoint.hpp)
///   Activity          what a session does, and how long                (activity.hpp)
///   begin_pause       transactions wait                        (pause.hpp)
///   Control           from the console to the main thread              (control.hpp)
///   Collection        values from other threads                        (collection.hpp)
///   Readiness         whether new sessions would be served             (readiness.hpp)
///   Snapshot          what a reload swaps                              (snapshot.hpp)
///   Service           what all workers share                           (service.hpp)
///   ZoneFiles         time zones of the machine                        (zone_files.hpp)
namespace pgveil::session {

/// One logged-in client and its upstream connection: two pumps, and the relay that decides.
///
/// Each pump reads one side for the relay, and sends what it says at once, or with what the server
/// has said meanwhile; one whose output is not taken stops reading. Belongs to one worker.
class Session {
public:
    Session(Worker& worker, net::Stream& client, net::Buffer& input);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    Session(Session&&) = delete;
    Session& operator=(Session&&) = delete;
    ~Session();

    /// Logs in on both legs and relays until one side ends. Throws boost::system::system_error
    /// when the client is lost. When the server is lost, the client is told (08006).
    net::Awaitable<void> run(ClientStartup startup);

    /// Ends the session as soon as it is outside a transaction (57P01).
    void drain();
    /// Ends it now (57P01).
    void end_now();

    /// The same by KILL_CLIENT; what runs is cancelled at the server.
    void kill();

    const std::string& id() const { return id_; }

    /// Looks again whether the client's next transaction may begin.
    void resume() { unblocked_.wake(); }

    /// No transaction is open, and no request; or replication is streamed, which goes on where it
    /// stopped.
    bool may_end_now() const;
    admin::SessionFacts facts() const;

private:
    net::Awaitable<bool> log_in(ClientStartup startup);
    net::Awaitable<Result<ClientIdentity>> identify(SnapshotPtr snapshot);
    net::Awaitable<Result<KnownSecret>> known_secret(SnapshotPtr snapshot);
    net::Awaitable<bool> refuse_login(LoginError error);
    std::optional<LoginError> reason_to_stay_out(const Snapshot& snapshot);
    net::Awaitable<void> pump_requests();
    net::Awaitable<void> pump_replies();
    net::Awaitable<void> relay_requests();
    net::Awaitable<void> relay_replies();
    void take_turn(void (Session::*feed)());
    void feed_requests();
    void feed_replies();
    void greet(UpstreamReady& ready);
    bool may_gather() const;
    void send_to_client();
    void send_upstream();
    void cancel_if_running();
    void cancel_at_server();
    void settle();
    bool is_upstream_lost() const;
    void on_upstream_lost(std::string_view reason);
    bool is_over() const;
    bool is_held() const;
    std::optional<LoginError> reason_to_stop_replication() const;
    void watch();
    void on_time_limit();
    void cancel_statement_in_time();
    void end_between_turns(const LoginError& reason);
    void end(const LoginError& reason);
    void log(std::string_view event) const;
    void log_connected() const;
    std::string server() const;

    Worker* worker_;
    net::Stream* client_;
    net::Buffer* input_;
    UpstreamConnection upstream_;
    UpstreamTarget upstream_target_;
    CancelKey cancel_key_;
    std::unique_ptr<relay::Relay> relay_;
    relay::Outgoing to_client_;
    relay::Outgoing to_upstream_;
    net::Waiter unblocked_;
    net::Timer idle_;
    net::Timer limit_;  ///< of the phase that the session is in
    Activity activity_;
    std::int64_t connected_s_;
    std::uint64_t received_bytes_ = 0;
    std::uint64_t sent_bytes_ = 0;
    std::string id_;
    Replication replication_ = Replication::kNone;
    Counter::Place user_place_;  ///< against limits.sessions_per_user
    bool ended_ = false;
    bool cancelled_ = false;
    bool counted_ = false;  ///< against limits.sessions
    bool entered_ = false;  ///< known to the worker, for drain
    /// What the client has got ends inside a message: any further word would be read as part of it.
    bool is_client_inside_message_ = false;
};

}  // namespace pgveil::session
