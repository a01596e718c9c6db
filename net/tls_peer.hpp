#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct x509_st;

namespace pgveil::net {

/// What both ends of one TLS connection have, and nobody else: RFC 9266, tls-exporter.
using TlsExporter = std::array<std::uint8_t, 32>;

/// Whom a client's certificate names, after its chain was verified.
struct PeerCertificate {
    std::string common_name;                     ///< empty: none, or more than one
    std::vector<std::string> alternative_names;  ///< subject alternative names: DNS and e-mail

    /// Compares byte for byte, without wildcards.
    bool names(const std::string& who) const;
};

/// Names that hold a NUL are left out: the rest would be compared with something else than what the
/// authority has signed.
PeerCertificate peer_certificate_of(const x509_st& certificate);

}  // namespace pgveil::net
