#pragma once

#include "net/buffer.hpp"
#include "net/stream.hpp"
#include "proxy/session/bootstrap_conversation.hpp"
#include "proxy/session/bootstrap_throttle.hpp"
#include "proxy/session/startup.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pgveil::session {

struct Service;

inline constexpr std::string_view kBootstrapDatabase = "pgveil";
inline constexpr std::string_view kBootstrapUser = "bootstrap";

/// True for database `pgveil`, which is the proxy itself and never forwarded.
bool is_for_proxy(const ClientStartup& startup);

/// P's custody as the bootstrap conversation sees it. Every step taken or refused is an event of
/// the audit log. Thread-safe as the custody is.
class CustodyBootstrap final : public BootstrapSteps {
public:
    using UnixTime = std::function<std::int64_t()>;  // seconds

    CustodyBootstrap(const Service& service, UnixTime now);

    std::optional<std::string> verifier() const override;
    Answer call(std::string_view step, std::string_view argument) override;

private:
    const Service* service_;
    UnixTime now_;
};

/// Serves one client of database `pgveil` from login to Terminate; sends every error itself.
/// Only user `bootstrap`, only over TLS, only by SCRAM-SHA-256-PLUS with the one-time password,
/// which also proves the proxy to the tenant; "closed" (55000) when there is no verifier any more.
/// A wrong password is answered late (BootstrapThrottle). The caller closes the stream.
/// Throws boost::system::system_error when the network fails, like everything on a Stream.
net::Awaitable<void> serve_bootstrap(
    net::Stream& client,
    net::Buffer& input,
    const ClientStartup& startup,
    BootstrapSteps& steps,
    BootstrapThrottle& throttle
);

}  // namespace pgveil::session
