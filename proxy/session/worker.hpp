#pragma once

#include "net/listener.hpp"
#include "net/loop.hpp"
#include "proxy/relay/environment.hpp"
#include "proxy/session/cancel.hpp"
#include "proxy/session/service.hpp"
#include "proxy/session/snapshot.hpp"

#include <cstddef>
#include <memory>
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

    std::uint16_t port() const { return listener_->port(); }

    void start();
    /// Ends every session at once. Any thread.
    void stop();
    /// Accepts no more, ends sessions that are outside a transaction, others when they come out of
    /// it. Any thread.
    void drain();
    /// New logins use the new snapshot; running sessions take its policy between transactions.
    void reload(SnapshotPtr snapshot);

    // ---- for its sessions, on its own thread ----

    net::Loop& loop() { return loop_; }

    Service& service() { return *service_; }

    const SnapshotPtr& snapshot() const { return snapshot_; }

    relay::Environment& environment() { return environment_; }

    CancelGate& cancels() { return cancels_; }

    bool is_draining() const { return draining_; }

    void enter(Session& session) { sessions_.push_back(&session); }

    void leave(Session& session) { std::erase(sessions_, &session); }

private:
    void accept(std::unique_ptr<net::Stream> client);
    void adopt(SnapshotPtr snapshot);

    Service* service_;
    SnapshotPtr snapshot_;
    core::BatchedRandom random_;
    relay::Environment environment_;
    CancelGate cancels_;
    net::Loop loop_;
    std::unique_ptr<net::Listener> listener_;
    std::vector<Session*> sessions_;
    bool draining_ = false;
    std::thread thread_;
};

}  // namespace pgveil::session
