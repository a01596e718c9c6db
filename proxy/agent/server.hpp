#pragma once

#include "net/listener.hpp"
#include "net/loop.hpp"
#include "net/unix_listener.hpp"
#include "proxy/agent/share_table.hpp"
#include "proxy/agent/snapshot.hpp"
#include "proxy/agent/token_source.hpp"
#include "proxy/session/cancel.hpp"
#include "proxy/session/startup.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// proxy/agent/: pgveil-agent, which stands between an application and pgveil.
///   Server         listens, and holds what sessions share               (here)
///   Session        one client and its connection to the proxy           (session.hpp)
///   Relay          what goes on to whom, and what the agent adds        (relay.hpp)
///   Exchange       where one request ends and the next begins           (exchange.hpp)
///   Renewal        when a session needs shares again                    (renewal.hpp)
///   TokenSource    tokens for the proxy's token key                     (token_source.hpp)
///   CommandCall, CommandRun   calls of the tenant's for application and proxy (command_run.hpp)
///   ShareTable     the application's shares of its users                (share_table.hpp)
///   Accounts       whose shares which role gets                         (accounts.hpp)
///   Snapshot       settings, accounts and certificates, until SIGHUP     (snapshot.hpp)
/// and between a browser and a web application:
///   WebAgent       adds one user's shares to requests                   (web_agent.hpp)
///   WebRules       which requests may have them                         (web_rules.hpp)
namespace pgveil::agent {

class Session;

/// The running agent: one loop on one thread, its listeners and its sessions.
class Server {
public:
    Server(SnapshotPtr snapshot, std::optional<ShareTable> table);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    Server(Server&&) = delete;
    Server& operator=(Server&&) = delete;
    ~Server();

    /// Opens the sockets. The error names the address.
    net::Result<void> open();

    /// Serves until a signal says otherwise: SIGTERM ends sessions between transactions, for a
    /// minute at most; SIGINT, SIGQUIT and any second signal at once; SIGHUP takes up what the
    /// files are now, and ends only sessions of roles that have no user any more. They must be
    /// blocked in every thread (block_signals).
    void run();

    // -- for sessions, on the loop's thread --

    net::Loop& loop() noexcept { return loop_; }

    const SnapshotPtr& snapshot() const noexcept { return snapshot_; }

    TokenSource& tokens() noexcept { return tokens_; }

    /// Null: none is kept.
    ShareTable* table() noexcept { return table_ ? &*table_ : nullptr; }

    const session::StartupRules& rules() const noexcept { return rules_; }

    session::CancelGate& cancels() noexcept { return cancels_; }

    bool is_draining() const noexcept { return is_draining_; }

    bool is_full() const noexcept { return sessions_.size() >= snapshot_->settings.sessions; }

    /// @return the session's number
    std::uint64_t enter(Session& session);
    void leave(Session& session);

private:
    net::Listener::OnAccept on_accept();
    void drain();
    void reload();
    void take_up(const Reloaded& fresh);

    SnapshotPtr running_;   ///< of the thread in run()
    SnapshotPtr snapshot_;  ///< of the loop's thread, which follows
    std::optional<ShareTable> table_;
    net::Loop loop_;
    TokenSource tokens_;
    session::StartupRules rules_;
    session::CancelGate cancels_;
    std::optional<net::UnixListener> local_;
    std::vector<std::unique_ptr<net::Listener>> listeners_;
    std::vector<Session*> sessions_;
    std::atomic<std::size_t> session_count_{0};
    std::uint64_t session_ids_ = 0;
    bool is_draining_ = false;
};

}  // namespace pgveil::agent
