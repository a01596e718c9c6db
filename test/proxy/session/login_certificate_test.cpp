#include "proxy/session/login_certificate.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::session {
namespace {

using config::ClientCertificates;
using net::PeerCertificate;

config::ListenSettings settings(ClientCertificates mode) {
    config::ListenSettings result;
    result.client_ca = "clients.crt";
    result.client_certificates = mode;
    return result;
}

std::string judged(
    const std::optional<PeerCertificate>& certificate,
    const config::ListenSettings& listen,
    bool is_local = false
) {
    const auto use = judge_certificate(certificate, "app", listen, is_local);
    if (!use.has_value()) {
        return use.error().sqlstate + " " + use.error().message;
    }
    switch (*use) {
        case CertificateUse::kNone: return "none";
        case CertificateUse::kAlso: return "also";
        case CertificateUse::kInstead: return "instead";
    }
    return "";
}

const PeerCertificate kOfApp{"app", {}};
const PeerCertificate kOfAppByMail{"somebody", {"db.example.org", "app"}};
const PeerCertificate kOfClerk{"clerk", {"clerk@example.org"}};
constexpr const char* kSomebodyElse = "28000 certificate authentication failed for user \"app\"";
constexpr const char* kMissing = "28000 connection requires a valid client certificate";

TEST(LoginCertificate, SaysNothingWhereNoneIsAskedFor) {
    EXPECT_EQ(judged(std::nullopt, config::ListenSettings()), "none");
    EXPECT_EQ(judged(kOfClerk, config::ListenSettings()), "none");
}

TEST(LoginCertificate, HasToBeTheUsersWhereOneIsDemanded) {
    const auto listen = settings(ClientCertificates::kRequire);
    EXPECT_EQ(judged(kOfApp, listen), "also");
    EXPECT_EQ(judged(kOfAppByMail, listen), "also");
    EXPECT_EQ(judged(kOfClerk, listen), kSomebodyElse);
    EXPECT_EQ(judged(PeerCertificate(), listen), kSomebodyElse);
    EXPECT_EQ(judged(std::nullopt, listen), kMissing);
    EXPECT_EQ(judged(std::nullopt, listen, true), "none") << "a Unix socket has no TLS";
}

TEST(LoginCertificate, StandsForThePasswordWhereItIsAccepted) {
    const auto listen = settings(ClientCertificates::kAccept);
    EXPECT_EQ(judged(kOfApp, listen), "instead");
    EXPECT_EQ(judged(kOfClerk, listen), "none") << "the password decides";
    EXPECT_EQ(judged(std::nullopt, listen), "none");
    EXPECT_EQ(judged(kOfApp, listen, true), "none");
}

TEST(LoginCertificate, ItsNamesAreMappedToUsers) {
    auto listen = settings(ClientCertificates::kRequire);
    listen.certificate_users = {{"clerk@example.org", "app"}, {"clerk", "clerk"}};
    EXPECT_EQ(judged(kOfClerk, listen), "also");
    EXPECT_EQ(judged(kOfApp, listen), kSomebodyElse) << "the map says all";
    listen.certificate_users = {{"clerk", "clerk"}};
    EXPECT_EQ(judged(kOfClerk, listen), kSomebodyElse);
}

TEST(LoginCertificate, AnEmptyNameStandsForNobody) {
    EXPECT_FALSE(PeerCertificate().names(""));
    EXPECT_FALSE(kOfApp.names("App"));
}

}  // namespace
}  // namespace pgveil::session
