#pragma once

#include "net/buffer.hpp"
#include "net/error.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;

namespace pgveil::net {

/// Certificates and rules of one leg: TLS 1.2 and 1.3, no renegotiation, no session tickets, no
/// compression. Immutable and shared by all workers; a reload makes a new one and the streams keep
/// the one they began with. Keys live in libcrypto's memory.
class TlsContext {
public:
    /// For the server side (clients connect to us). `certificate` is a PEM file with the chain,
    /// leaf first. Fails naming the file and the reason: unreadable, not PEM, expired, key of
    /// another certificate. ALPN: "postgresql" is selected when offered; other offers are refused.
    /// With `client_authority` (PEM file of CAs) clients are asked for a certificate: one that does
    /// not end there fails the handshake, none at all does not (see Stream::peer_certificate).
    static Result<std::shared_ptr<const TlsContext>> load_server(
        const std::string& certificate,
        const std::string& key,
        const std::string& client_authority = {}
    );

    /// For a server of programs and browsers by HTTPS: TLS 1.3 only; "http/1.1" is selected where
    /// a client offers protocols. Certificates and errors as above.
    static Result<std::shared_ptr<const TlsContext>> load_https_server(
        const std::string& certificate, const std::string& key, const std::string& client_authority
    );

    /// For the client side, always verify-full: the peer's chain must end in `authority` (PEM file
    /// of CAs) and its certificate must be for the host. Offers `protocol` by ALPN.
    static Result<std::shared_ptr<const TlsContext>> load_client(
        const std::string& authority, std::string_view protocol = "postgresql"
    );

    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;
    TlsContext(TlsContext&&) = delete;
    TlsContext& operator=(TlsContext&&) = delete;
    ~TlsContext();

    bool is_server() const noexcept { return is_server_; }

    /// tls-server-end-point of our own certificate (server side; empty on the client side).
    ByteView server_end_point() const noexcept { return end_point_; }

    ssl_ctx_st* native() const noexcept { return native_; }

private:
    struct ServerFiles;

    static Result<std::shared_ptr<const TlsContext>> load(
        ssl_ctx_st* fresh, const ServerFiles& files
    );

    TlsContext(ssl_ctx_st* native, bool is_server) noexcept
        : native_(native), is_server_(is_server) {}

    ssl_ctx_st* native_;
    bool is_server_;
    std::vector<std::uint8_t> end_point_;
};

}  // namespace pgveil::net
