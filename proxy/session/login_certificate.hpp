#pragma once

#include "config/settings.hpp"
#include "net/tls_peer.hpp"
#include "proxy/session/login_error.hpp"

#include <optional>
#include <string>

namespace pgveil::session {

/// What a client's certificate is good for.
enum class CertificateUse {
    kNone,     ///< it says nothing: the password decides
    kAlso,     ///< it is as demanded, and the password has to be right, too
    kInstead,  ///< it is the login: no password is asked for
};

/// Judges the certificate that a client has shown (its chain is verified) for the user it wants to
/// be. `certificate_users` of the settings says which names stand for which user; without it a name
/// stands for the user of that name. Errors are 28000: a certificate is demanded and there is none,
/// or it is somebody else's.
/// @param is_local a Unix socket: there is no TLS, and no certificate is demanded
Result<CertificateUse> judge_certificate(
    const std::optional<net::PeerCertificate>& certificate,
    const std::string& user,
    const config::ListenSettings& settings,
    bool is_local
);

}  // namespace pgveil::session
