#pragma once

#include "test/net/tls_certificates.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <thread>

namespace pgveil::custody::testing {

/// What a custodian sends back for a body that was posted to a path: status line, headers, body.
using Handler = std::function<std::string(const std::string& path, const std::string& body)>;

std::string http_response(int status, const std::string& body);

/// An HTTPS server on loopback that demands a client certificate of the authority, and serves one
/// connection at a time on its own thread until it dies.
class LoopbackCustodian {
public:
    LoopbackCustodian(
        const std::string& authority_file, const net::CertificateFiles& own, Handler handler
    );
    ~LoopbackCustodian();
    LoopbackCustodian(const LoopbackCustodian&) = delete;
    LoopbackCustodian& operator=(const LoopbackCustodian&) = delete;

    std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }

    int requests() const { return requests_; }

private:
    void run(const std::string& authority_file, const net::CertificateFiles& own);

    Handler handler_;
    int listener_ = -1;
    int port_ = 0;
    std::atomic<bool> is_ending_{false};
    std::atomic<int> requests_{0};
    std::thread thread_;
};

}  // namespace pgveil::custody::testing
