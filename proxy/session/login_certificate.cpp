#include "proxy/session/login_certificate.hpp"

#include <algorithm>

namespace pgveil::session {

namespace {

using config::ClientCertificates;

bool is_of(
    const net::PeerCertificate& certificate,
    const std::string& user,
    const config::ListenSettings& settings
) {
    if (settings.certificate_users.empty()) {
        return certificate.names(user);
    }
    return std::any_of(
        settings.certificate_users.begin(),
        settings.certificate_users.end(),
        [&](const config::CertificateUser& entry) {
            return entry.user == user && certificate.names(entry.name);
        }
    );
}

LoginError missing() {
    LoginError error = refuse("28000", "connection requires a valid client certificate");
    error.hint =
        "Connect with sslcert and sslkey of a certificate that the proxy's listen.tls.client_ca "
        "has issued.";
    return error;
}

LoginError of_somebody_else(const std::string& user) {
    LoginError error =
        refuse("28000", "certificate authentication failed for user \"" + user + "\"");
    error.hint =
        "Neither the common name nor a subject alternative name of the certificate stands for this "
        "user; listen.tls.certificate_users of the proxy maps names to users.";
    return error;
}

}  // namespace

Result<CertificateUse> judge_certificate(
    const std::optional<net::PeerCertificate>& certificate,
    const std::string& user,
    const config::ListenSettings& settings,
    bool is_local
) {
    if (settings.client_ca.empty() || is_local) {
        return CertificateUse::kNone;
    }
    const bool fits = certificate && is_of(*certificate, user, settings);
    if (settings.client_certificates == ClientCertificates::kAccept) {
        return fits ? CertificateUse::kInstead : CertificateUse::kNone;
    }
    if (!certificate) {
        return missing();
    }
    if (!fits) {
        return of_somebody_else(user);
    }
    return CertificateUse::kAlso;
}

}  // namespace pgveil::session
