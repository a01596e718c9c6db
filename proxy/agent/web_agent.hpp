#pragma once

#include "keyshare/core/secret.hpp"
#include "keyshare/share/token.hpp"
#include "keyshare/user/error.hpp"
#include "keyshare/user/passphrase.hpp"
#include "net/http_forwarder.hpp"
#include "net/loop.hpp"
#include "proxy/agent/token_source.hpp"
#include "proxy/agent/web_rules.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace pgveil::agent {

/// The arguments of `pgveil-agent http`.
struct WebArguments {
    std::string key_file;
    user::SecretSource passphrase;
    std::string application;               ///< its URL, without a path
    std::string statement = "/token-key";  ///< where it serves the proxy's token key statement
    std::string authority_file = "/etc/ssl/certs/ca-certificates.crt";
    std::string host = "127.0.0.1";
    std::uint16_t port = 8643;
    std::int64_t valid_s = 60;
};

/// The application's URL taken apart. Plain http only to this machine, because a token must not
/// cross a network in the clear.
user::Result<net::HttpOrigin> parse_application(const std::string& url);

/// One user's local web proxy: a browser opens it in place of the application, and it adds the
/// user's id and a fresh token to each request (docs/FORMATS.md, Headers of a web application). One
/// loop on one thread.
class WebAgent {
public:
    static constexpr std::size_t kClientsMax = 64;

    /// What it may take of locked memory, TLS included.
    static std::size_t arena_size();

    WebAgent(share::UserKey key, const WebArguments& arguments, net::HttpOrigin origin);
    WebAgent(const WebAgent&) = delete;
    WebAgent& operator=(const WebAgent&) = delete;
    WebAgent(WebAgent&&) = delete;
    WebAgent& operator=(WebAgent&&) = delete;
    ~WebAgent();

    /// Opens the socket. The error names the address.
    net::Result<void> open();

    /// Serves until SIGTERM, SIGINT or SIGQUIT, which it blocks; no other thread may run by then.
    void run();

private:
    net::Awaitable<net::HttpVerdict> judge(net::HttpRequest& request);
    net::Awaitable<user::Result<void>> renew();
    void add_shares(net::Stream& application) const;
    void on_status(unsigned status);

    share::UserKey key_;
    std::string host_;
    std::uint16_t port_;
    std::string statement_;
    net::HttpOrigin origin_;
    WebRules rules_;
    TokenSource tokens_;
    core::SecretBytes token_;
    std::int64_t renew_at_s_ = 0;
    net::Loop loop_;
    std::unique_ptr<net::HttpForwarder> forwarder_;
};

/// `pgveil-agent http`: opens the key, listens, serves.
user::Result<void> serve_web(const WebArguments& arguments);

}  // namespace pgveil::agent
