#pragma once

#include "net/buffer.hpp"
#include "net/stream.hpp"
#include "net/tls_context.hpp"
#include "proxy/session/login_error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pgveil::session {

/// Where the database server is and how to reach it. Copyable; one per settings snapshot.
struct UpstreamTarget {
    std::string host;  // name, address, or the directory of a unix socket
    std::uint16_t port = 5432;
    std::shared_ptr<const net::TlsContext> tls;  // null: plain; never used on a unix socket
    net::Duration connect_timeout{5000};
    std::string_view role = "the database server";  // what messages call it
    std::string_view tls_hint =
        "Switch ssl on in the database server, or set upstream.tls.mode of the proxy.";

    bool is_unix_socket() const { return host.starts_with('/'); }

    bool uses_tls() const { return tls != nullptr && !is_unix_socket(); }

    /// "db.example.org:5432", for messages.
    std::string text() const;
};

struct UpstreamConnection {
    std::unique_ptr<net::Stream> stream;
    std::unique_ptr<net::Buffer> input;
};

/// Connects and, where the target says so, asks for TLS and verifies the server (verify-full).
/// `connect_timeout` applies to connecting and once more to TLS; no deadline is left set. Never
/// falls back to plain. Errors are 08006 and say host and port. Throws nothing.
net::Awaitable<Result<UpstreamConnection>> open_upstream(net::Loop& loop, UpstreamTarget target);

/// 08006 for a connection to `target` that was lost or refused.
LoginError upstream_unreachable(const UpstreamTarget& target, std::string reason);

}  // namespace pgveil::session
