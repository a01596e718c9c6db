#include "net/tls_context.hpp"

#include "net/tls_end_point.hpp"
#include "net/tls_error.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>

namespace pgveil::net {

namespace {

struct FreeContext {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};

using ContextPtr = std::unique_ptr<SSL_CTX, FreeContext>;
using Problem = std::optional<Error>;

/// Protocol names in ALPN's form: a length byte before each.
constexpr std::array<unsigned char, 11> kPostgresql{
    10, 'p', 'o', 's', 't', 'g', 'r', 'e', 's', 'q', 'l'};
constexpr std::array<unsigned char, 9> kHttp{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

/// TLS 1.2 with forward secrecy and AEAD only; 1.3 has nothing else.
constexpr const char* kCiphers12 = "ECDHE+AESGCM:ECDHE+CHACHA20";

/// The one protocol that this server speaks.
template <const auto& kProtocol>
int select_protocol(
    SSL* /*ssl*/,
    const unsigned char** out,
    unsigned char* out_size,
    const unsigned char* offered,
    unsigned offered_size,
    void* /*argument*/
) {
    unsigned char* chosen = nullptr;
    const int result = SSL_select_next_proto(
        &chosen, out_size, kProtocol.data(), kProtocol.size(), offered, offered_size
    );
    *out = chosen;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// A key file with a passphrase must fail, not ask on the terminal.
int give_no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*argument*/) {
    return -1;
}

void apply_common_rules(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, kCiphers12);
    SSL_CTX_set_options(
        context,
        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
            SSL_OP_IGNORE_UNEXPECTED_EOF
    );
    SSL_CTX_set_mode(
        context,
        SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
            SSL_MODE_RELEASE_BUFFERS
    );
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_passwd_cb(context, give_no_passphrase);
}

Error file_error(std::string_view what, const std::string& path, const std::string& reason) {
    return {ErrorCode::kFile, std::string(what) + " " + path + ": " + reason};
}

/// The operating system's reason is clearer than OpenSSL's for a file that cannot be opened.
Problem check_readable(std::string_view what, const std::string& path) {
    errno = 0;
    const std::ifstream file(path);
    if (file.good()) {
        return std::nullopt;
    }
    return file_error(what, path, std::generic_category().message(errno));
}

Problem check_validity(std::string_view what, const std::string& path, const X509* certificate) {
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
        return Error(ErrorCode::kExpired, std::string(what) + " " + path + ": has expired");
    }
    if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
        return Error(ErrorCode::kExpired, std::string(what) + " " + path + ": is not valid yet");
    }
    return std::nullopt;
}

Problem load_certificate(SSL_CTX* context, const std::string& path) {
    constexpr std::string_view kWhat = "TLS certificate";
    if (Problem problem = check_readable(kWhat, path)) {
        return problem;
    }
    if (SSL_CTX_use_certificate_chain_file(context, path.c_str()) != 1) {
        return file_error(kWhat, path, "not a PEM certificate (" + take_tls_reason("empty") + ")");
    }
    return check_validity(kWhat, path, SSL_CTX_get0_certificate(context));
}

Problem load_key(SSL_CTX* context, const std::string& path, const std::string& certificate) {
    constexpr std::string_view kWhat = "TLS key";
    if (Problem problem = check_readable(kWhat, path)) {
        return problem;
    }
    if (SSL_CTX_use_PrivateKey_file(context, path.c_str(), SSL_FILETYPE_PEM) == 1) {
        return std::nullopt;
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH) {
        clear_tls_errors();
        return Error(
            ErrorCode::kKeyMismatch,
            "TLS key " + path + ": belongs to another certificate than " + certificate
        );
    }
    const std::string reason = take_tls_reason("empty");
    return file_error(kWhat, path, "not an unencrypted PEM private key (" + reason + ")");
}

/// Of clients. The list of names tells a client with several certificates which one to show.
Problem ask_for_certificates(SSL_CTX* context, const std::string& authority) {
    if (authority.empty()) {
        return std::nullopt;
    }
    constexpr std::string_view kWhat = "TLS client certificate authority";
    if (Problem problem = check_readable(kWhat, authority)) {
        return problem;
    }
    STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(authority.c_str());
    if (names == nullptr || SSL_CTX_load_verify_file(context, authority.c_str()) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return file_error(
            kWhat, authority, "not a PEM certificate (" + take_tls_reason("empty") + ")"
        );
    }
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    return std::nullopt;
}

}  // namespace

struct TlsContext::ServerFiles {
    const std::string& certificate;
    const std::string& key;
    const std::string& client_authority;
};

Result<std::shared_ptr<const TlsContext>> TlsContext::load_server(
    const std::string& certificate, const std::string& key, const std::string& client_authority
) {
    clear_tls_errors();
    SSL_CTX* const fresh = SSL_CTX_new(TLS_server_method());
    if (fresh != nullptr) {
        SSL_CTX_set_alpn_select_cb(fresh, select_protocol<kPostgresql>, nullptr);
    }
    return load(fresh, {certificate, key, client_authority});
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load_https_server(
    const std::string& certificate, const std::string& key, const std::string& client_authority
) {
    clear_tls_errors();
    SSL_CTX* const fresh = SSL_CTX_new(TLS_server_method());
    if (fresh != nullptr) {
        SSL_CTX_set_alpn_select_cb(fresh, select_protocol<kHttp>, nullptr);
    }
    auto loaded = load(fresh, {certificate, key, client_authority});
    if (loaded.has_value()) {
        SSL_CTX_set_min_proto_version((*loaded)->native(), TLS1_3_VERSION);
    }
    return loaded;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load(
    ssl_ctx_st* fresh, const ServerFiles& files
) {
    ContextPtr native(fresh);
    if (!native) {
        return Error(ErrorCode::kFile, "TLS: " + take_tls_reason("no context"));
    }
    apply_common_rules(native.get());
    if (Problem problem = load_certificate(native.get(), files.certificate)) {
        return *std::move(problem);
    }
    if (Problem problem = load_key(native.get(), files.key, files.certificate)) {
        return *std::move(problem);
    }
    if (Problem problem = ask_for_certificates(native.get(), files.client_authority)) {
        return *std::move(problem);
    }
    std::shared_ptr<TlsContext> context(new TlsContext(native.release(), true));
    context->end_point_ = server_end_point_of(*SSL_CTX_get0_certificate(context->native_));
    return std::shared_ptr<const TlsContext>(std::move(context));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load_client(
    const std::string& authority, std::string_view protocol
) {
    constexpr std::string_view kWhat = "TLS certificate authority";
    clear_tls_errors();
    if (Problem problem = check_readable(kWhat, authority)) {
        return *std::move(problem);
    }
    ContextPtr native(SSL_CTX_new(TLS_client_method()));
    if (!native) {
        return Error(ErrorCode::kFile, "TLS: " + take_tls_reason("no context"));
    }
    apply_common_rules(native.get());
    SSL_CTX_set_verify(native.get(), SSL_VERIFY_PEER, nullptr);
    std::vector<unsigned char> offered(1, static_cast<unsigned char>(protocol.size()));
    offered.insert(offered.end(), protocol.begin(), protocol.end());
    SSL_CTX_set_alpn_protos(native.get(), offered.data(), static_cast<unsigned>(offered.size()));
    if (SSL_CTX_load_verify_file(native.get(), authority.c_str()) != 1) {
        const std::string reason = take_tls_reason("empty");
        return file_error(kWhat, authority, "not a PEM certificate (" + reason + ")");
    }
    std::shared_ptr<const TlsContext> context(new TlsContext(native.release(), false));
    return context;
}

TlsContext::~TlsContext() {
    SSL_CTX_free(native_);
}

}  // namespace pgveil::net
