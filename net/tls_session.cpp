#include "net/tls_session.hpp"

#include "keyshare/core/invariant.hpp"
#include "net/tls_bio.hpp"
#include "net/tls_end_point.hpp"
#include "net/tls_error.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <utility>

namespace pgveil::net {

namespace {

struct FreeSsl {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
};

using SslPtr = std::unique_ptr<SSL, FreeSsl>;

/// RFC 8446 section 5.1.
constexpr std::size_t kRecordSizeMax = 16384;

/// With what OpenSSL adds, a block that the arena keeps at hand for each thread.
constexpr std::size_t kSmallRecordSize = 1536;

/// SSL_set_tlsext_host_name, whose macro hides a cast. OpenSSL copies the name.
bool send_server_name(SSL* ssl, std::string host) {
    return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) == 1;
}

/// verify-full: the certificate must name this host. An address is compared with the certificate's
/// addresses, anything else with its names and sent as SNI (RFC 6066 section 3 forbids addresses).
bool expect_host(SSL* ssl, const std::string& host) {
    X509_VERIFY_PARAM* rules = SSL_get0_param(ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1) {
        return true;
    }
    clear_tls_errors();
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(rules, host.c_str(), host.size()) == 1 &&
           send_server_name(ssl, host);
}

ErrorCode code_of_verify_result(long result) noexcept {
    switch (result) {
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH: return ErrorCode::kWrongHost;
        case X509_V_ERR_CERT_HAS_EXPIRED:
        case X509_V_ERR_CERT_NOT_YET_VALID: return ErrorCode::kExpired;
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_CERT_SIGNATURE_FAILURE: return ErrorCode::kUnknownAuthority;
        default: return ErrorCode::kHandshake;
    }
}

}  // namespace

Result<std::unique_ptr<TlsSession>> TlsSession::create(
    std::shared_ptr<const TlsContext> context, Socket& socket, const std::string& host
) {
    clear_tls_errors();
    SslPtr ssl(SSL_new(context->native()));
    BIO* bio = ssl ? new_socket_bio(socket) : nullptr;
    if (bio == nullptr) {
        return Error(ErrorCode::kHandshake, "TLS: " + take_tls_reason("out of memory"));
    }
    SSL_set_bio(ssl.get(), bio, bio);
    if (context->is_server()) {
        SSL_set_accept_state(ssl.get());
    } else if (SSL_set_connect_state(ssl.get()); !expect_host(ssl.get(), host)) {
        return Error(ErrorCode::kWrongHost, "TLS: \"" + host + "\" is no host name or address");
    }
    return std::unique_ptr<TlsSession>(new TlsSession(std::move(context), ssl.release(), host));
}

TlsSession::~TlsSession() {
    SSL_free(native_);
}

TlsStep TlsSession::handshake() {
    clear_tls_errors();
    const int result = SSL_do_handshake(native_);
    if (result == 1) {
        on_handshake_done();
        return TlsStep::kDone;
    }
    const TlsStep step = step_of(result);
    if (step == TlsStep::kFailed) {
        handshake_error_ = describe_handshake_failure();
    }
    return step;
}

void TlsSession::on_handshake_done() {
    if (context_->is_server()) {
        const ByteView own = context_->server_end_point();
        end_point_.assign(own.begin(), own.end());
    } else if (X509* peer = SSL_get0_peer_certificate(native_); peer != nullptr) {
        end_point_ = server_end_point_of(*peer);
    }
}

std::optional<TlsExporter> TlsSession::exporter() const {
    constexpr std::string_view kLabel = "EXPORTER-Channel-Binding";
    if (SSL_is_init_finished(native_) == 0 ||
        (SSL_version(native_) < TLS1_3_VERSION && SSL_get_extms_support(native_) != 1)) {
        return std::nullopt;
    }
    TlsExporter out{};
    const int done = SSL_export_keying_material(
        native_, out.data(), out.size(), kLabel.data(), kLabel.size(), nullptr, 0, 1
    );
    return done == 1 ? std::optional(out) : std::nullopt;
}

Error TlsSession::describe_handshake_failure() {
    const long verified = context_->is_server() ? X509_V_OK : SSL_get_verify_result(native_);
    if (verified != X509_V_OK) {
        clear_tls_errors();
        const char* reason = X509_verify_cert_error_string(verified);
        return {code_of_verify_result(verified), "certificate of \"" + host_ + "\": " + reason};
    }
    return {ErrorCode::kHandshake, "TLS handshake: " + take_tls_reason("connection closed")};
}

TlsStep TlsSession::step_of(int result) {
    switch (SSL_get_error(native_, result)) {
        case SSL_ERROR_NONE: return TlsStep::kDone;
        case SSL_ERROR_WANT_READ: return TlsStep::kWantRead;
        case SSL_ERROR_WANT_WRITE: return TlsStep::kWantWrite;
        default: return TlsStep::kFailed;
    }
}

IoResult TlsSession::stopped(int result) {
    switch (SSL_get_error(native_, result)) {
        case SSL_ERROR_WANT_READ: wants_input_ = true; return {};
        case SSL_ERROR_WANT_WRITE: read_wants_write_ = true; return {};
        case SSL_ERROR_ZERO_RETURN: return {.status = IoStatus::kEnd, .bytes = 0};
        default: error_ = take_tls_error(); return {.status = IoStatus::kFailed, .bytes = 0};
    }
}

IoResult TlsSession::read(std::span<std::uint8_t> space) {
    clear_tls_errors();
    wants_input_ = false;
    read_wants_write_ = false;
    std::size_t count = 0;
    const int result = SSL_read_ex(native_, space.data(), space.size(), &count);
    if (result == 1) {
        return {.status = IoStatus::kDone, .bytes = count};
    }
    return stopped(result);
}

/// OpenSSL makes room for the largest record it may send, and it is wiped when it has left: for a
/// few bytes that takes longer than to encrypt them. The size at which it splits follows the
/// largest one down, but not up again.
void TlsSession::fit_record_to(std::size_t size) {
    const std::size_t wanted = size <= kSmallRecordSize ? kSmallRecordSize : kRecordSizeMax;
    if (wanted != record_size_) {
        SSL_ctrl(native_, SSL_CTRL_SET_MAX_SEND_FRAGMENT, static_cast<long>(wanted), nullptr);
        SSL_ctrl(native_, SSL_CTRL_SET_SPLIT_SEND_FRAGMENT, static_cast<long>(wanted), nullptr);
        record_size_ = wanted;
    }
}

IoResult TlsSession::write(ByteView bytes) {
    clear_tls_errors();
    if (held_up_ == 0) {
        fit_record_to(bytes.size());
    } else {
        // With more than it had, OpenSSL would go on in the same room, which a larger record of
        // later does not fit into. With as much it lets the room go.
        core::invariant(bytes.size() >= held_up_, "a write that was held up is repeated whole");
        bytes = bytes.first(held_up_);
    }
    std::size_t count = 0;
    const int result = SSL_write_ex(native_, bytes.data(), bytes.size(), &count);
    held_up_ = result == 1 ? 0 : bytes.size();
    if (result == 1) {
        return {.status = IoStatus::kDone, .bytes = count};
    }
    const TlsStep step = step_of(result);
    if (step == TlsStep::kFailed) {
        error_ = take_tls_error();
        return {.status = IoStatus::kFailed, .bytes = 0};
    }
    return {};
}

TlsStep TlsSession::shutdown() {
    if (SSL_in_init(native_) == 1 || (SSL_get_shutdown(native_) & SSL_SENT_SHUTDOWN) != 0) {
        return TlsStep::kDone;
    }
    clear_tls_errors();
    const int result = SSL_shutdown(native_);
    const TlsStep step = result >= 0 ? TlsStep::kDone : step_of(result);
    clear_tls_errors();
    return step == TlsStep::kWantWrite ? step : TlsStep::kDone;
}

bool TlsSession::can_read() const noexcept {
    return has_pending() && !wants_input_;
}

bool TlsSession::has_pending() const noexcept {
    return SSL_has_pending(native_) == 1;
}

std::string_view TlsSession::application_protocol() const noexcept {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(native_, &name, &size);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are unsigned to OpenSSL
    return {reinterpret_cast<const char*>(name), size};
}

std::optional<PeerCertificate> TlsSession::peer_certificate() const {
    const X509* const peer = SSL_get0_peer_certificate(native_);
    if (peer == nullptr || (SSL_get_verify_mode(native_) & SSL_VERIFY_PEER) == 0 ||
        SSL_get_verify_result(native_) != X509_V_OK) {
        return std::nullopt;
    }
    return peer_certificate_of(*peer);
}

std::string TlsSession::version() const {
    return SSL_get_version(native_);
}

}  // namespace pgveil::net
