#pragma once

#include "keyshare/core/bytes.hpp"
#include "proxy/session/login_error.hpp"
#include "proxy/session/passwords_file.hpp"
#include "proxy/session/scram_client.hpp"
#include "proxy/wire/authentication.hpp"
#include "proxy/wire/backend.hpp"
#include "proxy/wire/frame.hpp"
#include "proxy/wire/output.hpp"
#include "proxy/wire/startup.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::session {

/// What the server said between AuthenticationOk and the first ReadyForQuery.
struct UpstreamGreeting {
    /// ParameterStatus, NoticeResponse and BackendKeyData, whole frames in order, as they came: to
    /// be sent to the client before ReadyForQuery (which is not among them).
    wire::Output frames;
    std::map<std::string, std::string, std::less<>> parameters;
    std::uint32_t process_id = 0;
    std::vector<std::uint8_t> cancel_secret;
    wire::TransactionStatus status = wire::TransactionStatus::kIdle;
};

/// What one login upstream needs. `credentials` must outlive the handshake.
struct UpstreamHandshakeSetup {
    std::string user;
    std::string users_file;
    std::string server;                             // "host:port", for error texts
    const ScramCredentials* credentials = nullptr;  // null: the client came by certificate
    const UpstreamPassword* password = nullptr;     // null: none is known; must outlive it, too
    bool may_send_password = false;                 // as it is: over TLS, a Unix socket, or allowed
    bool is_tls = false;
    core::Bytes end_point;  // of the server's certificate
    std::string nonce;
};

/// The login upstream without a socket: the server's messages in, our answers out.
///
///     while (*handshake.on_message(frame, to_upstream) == Next::kContinue) { send; read }
///     handshake.take_greeting()
///
/// Accepts AuthenticationOk at once (trust, cert, peer) as well as after SCRAM; after SCRAM only if
/// the server has proved itself. Methods md5 and password need a password of the passwords file. A
/// NegotiateProtocolVersion may come first and stays here: the client has got the proxy's own.
/// Everything out of order is 08P01.
class UpstreamHandshake {
public:
    enum class Next { kContinue, kReady };

    explicit UpstreamHandshake(UpstreamHandshakeSetup setup);

    Result<Next> on_message(const wire::Frame& frame, wire::Output& to_upstream);

    UpstreamGreeting take_greeting() { return std::move(greeting_); }

private:
    enum class State { kAwaitsRequest, kAwaitsContinue, kAwaitsFinal, kAwaitsOk, kAuthenticated };

    Result<void> on_authentication(wire::ByteView body, wire::Output& to_upstream);
    Result<void> on_negotiation(wire::ByteView body) const;
    Result<void> on_sasl(const wire::Strings& mechanisms, wire::Output& to_upstream);
    Result<void> on_sasl_continue(std::string_view message, wire::Output& to_upstream);
    Result<void> on_sasl_final(std::string_view message);
    Result<void> on_cleartext(wire::Output& to_upstream);
    Result<void> on_md5(wire::ByteView salt, wire::Output& to_upstream);
    Result<void> on_ok();
    Result<void> on_greeting(const wire::Frame& frame);
    Result<void> keep(const wire::Frame& frame);
    Result<Next> on_ready(wire::ByteView body);
    LoginError on_error(const wire::Frame& frame) const;
    LoginError unusable_method(std::string_view method) const;
    LoginError password_unknown(std::string_view method) const;

    bool knows_text() const { return setup_.password != nullptr && !setup_.password->is_md5; }

    LoginError out_of_order() const;

    UpstreamHandshakeSetup setup_;
    State state_ = State::kAwaitsRequest;
    std::optional<ScramClient> scram_;
    UpstreamGreeting greeting_;
};

}  // namespace pgveil::session
