#include "net/tls_context.hpp"

#include "test/net/tls_certificates.hpp"

#include <gtest/gtest.h>

namespace pgveil::net {

namespace {

Error server_error(const std::string& certificate, const std::string& key) {
    const auto context = TlsContext::load_server(certificate, key);
    EXPECT_FALSE(context.has_value());
    return context.error();
}

TEST(TlsContext, LoadsACertificateAndItsKey) {
    TestAuthority authority;
    const CertificateFiles files = authority.issue({});
    const auto context = TlsContext::load_server(files.certificate, files.key);
    ASSERT_TRUE(context.has_value()) << context.error().message;
    EXPECT_TRUE((*context)->is_server());
    EXPECT_EQ((*context)->server_end_point().size(), 32U);
}

TEST(TlsContext, NamesTheKeyOfAnotherCertificate) {
    TestAuthority authority;
    const CertificateFiles one = authority.issue({});
    const CertificateFiles other = authority.issue({});
    const Error error = server_error(one.certificate, other.key);
    EXPECT_EQ(error.code, ErrorCode::kKeyMismatch);
    EXPECT_EQ(
        error.message,
        "TLS key " + other.key + ": belongs to another certificate than " + one.certificate
    );
}

TEST(TlsContext, NamesTheCertificateThatHasExpired) {
    TestAuthority authority;
    CertificateWish wish;
    wish.valid_from_seconds = -7200;
    wish.valid_until_seconds = -60;
    const CertificateFiles files = authority.issue(wish);
    const Error error = server_error(files.certificate, files.key);
    EXPECT_EQ(error.code, ErrorCode::kExpired);
    EXPECT_EQ(error.message, "TLS certificate " + files.certificate + ": has expired");
}

TEST(TlsContext, NamesTheAuthorityOfClientsThatItCannotUse) {
    TestAuthority authority;
    const CertificateFiles files = authority.issue({});
    const std::string known = authority.authority_file();
    EXPECT_TRUE(TlsContext::load_server(files.certificate, files.key, known).has_value());
    const auto missing = TlsContext::load_server(files.certificate, files.key, "/nonexistent.ca");
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(
        missing.error().message,
        "TLS client certificate authority /nonexistent.ca: No such file or directory"
    );
    const std::string text = authority.write("text.pem", "no certificate");
    const auto unfit = TlsContext::load_server(files.certificate, files.key, text);
    ASSERT_FALSE(unfit.has_value());
    EXPECT_NE(unfit.error().message.find(text + ": not a PEM certificate"), std::string::npos);
}

TEST(TlsContext, NamesTheFileThatCannotBeRead) {
    TestAuthority authority;
    const CertificateFiles files = authority.issue({});
    EXPECT_EQ(
        server_error("/nonexistent.pem", files.key).message,
        "TLS certificate /nonexistent.pem: No such file or directory"
    );
    EXPECT_EQ(
        server_error(files.certificate, "/nonexistent.key").message,
        "TLS key /nonexistent.key: No such file or directory"
    );
    const auto client = TlsContext::load_client("/nonexistent.ca");
    ASSERT_FALSE(client.has_value());
    EXPECT_EQ(
        client.error().message,
        "TLS certificate authority /nonexistent.ca: No such file or directory"
    );
}

TEST(TlsContext, RefusesFilesThatAreNotWhatTheyShouldBe) {
    TestAuthority authority;
    const CertificateFiles files = authority.issue({});
    const std::string garbage = authority.write("garbage", "not PEM\n");
    const std::string locked = authority.write(
        "locked.key",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n"
    );
    EXPECT_EQ(server_error(garbage, files.key).code, ErrorCode::kFile);
    EXPECT_EQ(server_error(files.certificate, garbage).code, ErrorCode::kFile);
    EXPECT_EQ(server_error(files.certificate, locked).code, ErrorCode::kFile);
    EXPECT_FALSE(TlsContext::load_client(garbage).has_value());
}

}  // namespace

}  // namespace pgveil::net
