#pragma once

#include "net/buffer.hpp"
#include "net/stream.hpp"
#include "proxy/agent/relay.hpp"
#include "proxy/agent/server.hpp"
#include "proxy/session/upstream_connection.hpp"

#include <boost/system/system_error.hpp>

#include <memory>
#include <string>

namespace pgveil::agent {

/// Serves one connection to its end: a session, or a CancelRequest. Throws nothing.
net::Awaitable<void> serve_client(Server& server, std::unique_ptr<net::Stream> client);

/// One client and its connection to the proxy: two pumps, and the relay that decides. Belongs to
/// the server's loop.
class Session {
public:
    Session(Server& server, net::Stream& client, net::Buffer& input);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    Session(Session&&) = delete;
    Session& operator=(Session&&) = delete;
    ~Session();

    /// Connects to the proxy, lets it log the client in, and relays until one side ends. Throws
    /// boost::system::system_error when the client is lost.
    /// account: null: nothing is added, ever (the proxy's admin console).
    net::Awaitable<void> run(
        session::ClientStartup startup, std::shared_ptr<const Account> account
    );

    /// Ends the session as soon as it is outside a transaction (57P01).
    void drain();

    /// The server has another snapshot: the role's user, key and shares count from the next request
    /// outside a transaction. Without a user any more the session ends there (57P01).
    void take_up();

private:
    net::Awaitable<void> pump_requests();
    net::Awaitable<void> pump_replies();
    net::Awaitable<void> relay_requests();
    net::Awaitable<void> relay_replies();
    void on_lost(const boost::system::system_error& lost);
    void feed_requests();
    void feed_replies();
    void settle();
    void end(const session::LoginError& reason);
    void log(std::string_view event) const;

    Server* server_;
    net::Stream* client_;
    net::Buffer* input_;
    session::UpstreamConnection upstream_;
    std::unique_ptr<Relay> relay_;
    wire::Output to_client_;
    wire::Output to_upstream_;
    net::Waiter unblocked_;
    std::string id_;
    std::string role_;
    bool has_account_ = false;
    bool is_dismissed_ = false;
    bool ended_ = false;
    bool entered_ = false;
};

}  // namespace pgveil::agent
