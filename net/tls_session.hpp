#pragma once

#include "net/error.hpp"
#include "net/socket.hpp"
#include "net/tls_context.hpp"
#include "net/tls_peer.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct ssl_st;

namespace pgveil::net {

enum class TlsStep {
    kDone,
    kWantRead,   ///< again when the socket has input
    kWantWrite,  ///< again when the socket has room
    kFailed,     ///< handshake: handshake_error(); reading and writing: error()
};

/// One end of a TLS connection over a Socket it does not own. Knows no loop: every call does what
/// the socket allows now and says what it waits for. The socket's knowledge of its readiness is
/// used by OpenSSL's reads and writes, so that no system call is made that is known to block.
class TlsSession {
public:
    /// @param host client side: what the peer's certificate must be for; ignored on the server side
    static Result<std::unique_ptr<TlsSession>> create(
        std::shared_ptr<const TlsContext> context, Socket& socket, const std::string& host
    );

    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;
    TlsSession(TlsSession&&) = delete;
    TlsSession& operator=(TlsSession&&) = delete;
    ~TlsSession();

    TlsStep handshake();

    /// Why handshake() failed, for a person; names what verify-full found wrong.
    Error handshake_error() const { return handshake_error_; }

    IoResult read(std::span<std::uint8_t> space);

    /// Takes a part; a call that is kBlocked is repeated with the same first bytes and no fewer.
    IoResult write(ByteView bytes);

    const error_code& error() const noexcept { return error_; }

    /// Sends close_notify. kDone also when the peer has gone already.
    TlsStep shutdown();

    /// A read can succeed without more input on the socket.
    bool can_read() const noexcept;

    /// Decrypted or undecrypted bytes are held here.
    bool has_pending() const noexcept;

    /// The last read waits for room to write (key update), not for input.
    bool read_wants_write() const noexcept { return read_wants_write_; }

    ByteView server_end_point() const noexcept { return end_point_; }

    /// Channel binding `tls-exporter` (RFC 9266): both ends of this connection have the same,
    /// nobody else has. Nothing before the handshake is done, and under TLS 1.2 without extended
    /// master secret (section 3.1 there).
    std::optional<TlsExporter> exporter() const;

    /// The peer's certificate if it was asked for one and has shown one that was verified.
    std::optional<PeerCertificate> peer_certificate() const;

    std::string_view application_protocol() const noexcept;
    std::string version() const;

private:
    TlsSession(std::shared_ptr<const TlsContext> context, ssl_st* native, std::string host)
        : context_(std::move(context)), native_(native), host_(std::move(host)) {}

    IoResult stopped(int result);
    void fit_record_to(std::size_t size);
    TlsStep step_of(int result);
    void on_handshake_done();
    Error describe_handshake_failure();

    std::shared_ptr<const TlsContext> context_;
    ssl_st* native_;
    std::string host_;
    bool wants_input_ = false;
    bool read_wants_write_ = false;
    std::size_t held_up_ = 0;      ///< bytes of the write that is to be repeated; 0: none is
    std::size_t record_size_ = 0;  ///< what a record takes at most; 0: OpenSSL's own
    error_code error_;
    Error handshake_error_{ErrorCode::kHandshake, {}};
    std::vector<std::uint8_t> end_point_;
};

}  // namespace pgveil::net
