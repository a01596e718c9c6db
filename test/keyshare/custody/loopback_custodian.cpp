#include "test/keyshare/custody/loopback_custodian.hpp"

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace pgveil::custody::testing {

namespace {

struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

    void operator()(SSL* session) const { SSL_free(session); }
};

using Context = std::unique_ptr<SSL_CTX, Free>;
using Session = std::unique_ptr<SSL, Free>;

Context context_of(const std::string& authority_file, const net::CertificateFiles& own) {
    Context context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
    SSL_CTX_use_certificate_file(context.get(), own.certificate.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context.get(), own.key.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_load_verify_file(context.get(), authority_file.c_str());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return context;
}

/// Head and body of one request; empty when the client goes away.
std::string read_request(SSL* session) {
    std::string request;
    char buffer[4096];
    std::size_t whole = std::string::npos;
    while (request.size() < whole) {
        const int got = SSL_read(session, buffer, sizeof buffer);
        if (got <= 0) {
            return {};
        }
        request.append(buffer, static_cast<std::size_t>(got));
        const std::size_t head = request.find("\r\n\r\n");
        const std::size_t length = request.find("Content-Length: ");
        if (head != std::string::npos && whole == std::string::npos) {
            whole = head + 4;
            if (length < head) {
                whole += std::strtoul(request.c_str() + length + 16, nullptr, 10);
            }
        }
    }
    return request;
}

}  // namespace

std::string http_response(int status, const std::string& body) {
    return "HTTP/1.1 " + std::to_string(status) +
           " Said\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

LoopbackCustodian::LoopbackCustodian(
    const std::string& authority_file, const net::CertificateFiles& own, Handler handler
)
    : handler_(std::move(handler)) {
    std::signal(SIGPIPE, SIG_IGN);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (listener_ < 0 || ::bind(listener_, any, size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, any, &size) != 0) {
        throw std::runtime_error("no socket on loopback");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, authority_file, own] { run(authority_file, own); });
}

LoopbackCustodian::~LoopbackCustodian() {
    is_ending_ = true;
    thread_.join();
    ::close(listener_);
}

void LoopbackCustodian::run(const std::string& authority_file, const net::CertificateFiles& own) {
    const Context context = context_of(authority_file, own);
    while (!is_ending_) {
        pollfd waiting{listener_, POLLIN, 0};
        if (::poll(&waiting, 1, 20) <= 0) {
            continue;
        }
        const int connection = ::accept(listener_, nullptr, nullptr);
        const timeval limit{5, 0};
        ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        const Session session(SSL_new(context.get()));
        SSL_set_fd(session.get(), connection);
        if (SSL_accept(session.get()) == 1) {
            const std::string request = read_request(session.get());
            if (!request.empty()) {
                ++requests_;
                const std::size_t path = request.find(' ') + 1;
                const std::string reply = handler_(
                    request.substr(path, request.find(' ', path) - path),
                    request.substr(request.find("\r\n\r\n") + 4)
                );
                SSL_write(session.get(), reply.data(), static_cast<int>(reply.size()));
                SSL_shutdown(session.get());
            }
        }
        ::close(connection);
    }
}

}  // namespace pgveil::custody::testing
