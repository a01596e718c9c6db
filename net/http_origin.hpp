#pragma once

#include "net/loop.hpp"
#include "net/stream.hpp"
#include "net/tls_context.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace pgveil::net {

/// A web application, and how to reach it.
struct HttpOrigin {
    std::string host;
    std::uint16_t port = 0;
    std::string authority;                  ///< for Host: "clinic.example", "localhost:8080"
    std::shared_ptr<const TlsContext> tls;  ///< null: http
    Duration connect_timeout{5000};

    /// "https://clinic.example", as browsers write it.
    std::string text() const { return (tls ? "https://" : "http://") + authority; }
};

/// A connection to it, with TLS where the origin has it (verify-full). No deadline is left set.
Awaitable<Result<std::unique_ptr<Stream>>> connect(Loop& loop, HttpOrigin origin);

/// What GET of `path` gives, at most 16 KiB, within twice the connect timeout. The error is a line
/// for a person.
Awaitable<Result<std::string>> http_get(Loop& loop, HttpOrigin origin, std::string path);

}  // namespace pgveil::net
