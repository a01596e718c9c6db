#pragma once

#include "net/listener.hpp"
#include "net/loop.hpp"
#include "proxy/admin/console_show.hpp"
#include "proxy/relay/environment.hpp"
#include "proxy/session/cancel.hpp"
#include "proxy/session/login_error.hpp"
#include "proxy/session/service.hpp"
#include "proxy/session/snapshot.hpp"
#include "proxy/session/strangers.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace pgveil::session {

class Session;

/// One thread with its own event loop, listener and sessions. A session never leaves its worker,
/// so nothing on the data path needs a lock.
///
/// How to drive it: construct, listen(), start(); then reload() and drain() from any thread; at the
/// end stop() and the destructor, which joins.
class Worker {
public:
    Worker(Service& service, SnapshotPtr snapshot);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    Worker(Worker&&) = delete;
    Worker& operator=(Worker&&) = delete;
    ~Worker();

    /// Before start(). Port 0: the kernel chooses; port() tells.
    net::Result<void> listen(const net::Address& address);

    /// The same on a socket that listens already; may be called for several.
    net::Result<void> listen(const net::Socket& listening);

    std::uint16_t port() const { return listeners_.front()->port(); }

    void start();
    /// Ends every session at once. Any thread.
    void stop();
    /// Accepts no more, ends sessions that are outside a transaction, others when they come out of
    /// it. Any thread.
    void drain();
    /// Accepts no more, ends every session now, with a word to its client (57P01). Any thread.
    void end_sessions();

    /// KILL_CLIENT. On the worker's thread. False: it has no session of this id.
    bool kill(std::string_view session);
    /// Sessions look again whether they may go on after a PAUSE. Any thread.
    void resume();
    /// New logins use the new snapshot; running sessions take its policy between transactions.
    void reload(SnapshotPtr snapshot);

    // ---- for its sessions, on its own thread ----

    net::Loop& loop() { return loop_; }

    Service& service() { return *service_; }

    const SnapshotPtr& snapshot() const { return snapshot_; }

    relay::Environment& environment() { return environment_; }

    CancelGate& cancels() { return cancels_; }

    metrics::Tally& tally() { return *environment_.tally; }

    HostOrder& host_order() { return host_order_; }

    Strangers& strangers() { return strangers_; }

    /// Port scans and the like are not failed logins.
    void count_failed_login(const LoginError& error);

    bool is_draining() const { return draining_; }

    bool is_paused() const { return service_->paused.load(std::memory_order_relaxed); }

    admin::WorkerFacts facts() const;

    void enter(Session& session) { sessions_.push_back(&session); }

    void leave(Session& session);

private:
    net::Result<void> keep(net::Result<std::unique_ptr<net::Listener>> listener);
    net::Listener::OnAccept on_accept();
    void close_listeners();
    void accept(std::unique_ptr<net::Stream> client);
    void adopt(SnapshotPtr snapshot);

    Service* service_;
    SnapshotPtr snapshot_;
    core::BatchedRandom random_;
    relay::Environment environment_;
    CancelGate cancels_;
    HostOrder host_order_;
    Strangers strangers_;
    net::Loop loop_;
    std::vector<std::unique_ptr<net::Listener>> listeners_;
    std::vector<Session*> sessions_;
    std::map<std::string, admin::Totals> gone_;  ///< of sessions that have ended, by database
    std::uint64_t refused_ = 0;
    bool draining_ = false;
    std::thread thread_;
};

}  // namespace pgveil::session
