#pragma once

#include <string>

namespace pgveil::net {

struct CertificateWish {
    std::string name = "localhost";  ///< subject alternative name; an address if `is_address`
    bool is_address = false;
    long valid_from_seconds = -3600;
    long valid_until_seconds = 86400;
};

struct CertificateFiles {
    std::string certificate;
    std::string key;
};

/// A certificate authority of its own in a temporary folder, which goes with it.
class TestAuthority {
public:
    TestAuthority();
    TestAuthority(const TestAuthority&) = delete;
    TestAuthority& operator=(const TestAuthority&) = delete;
    TestAuthority(TestAuthority&&) = delete;
    TestAuthority& operator=(TestAuthority&&) = delete;
    ~TestAuthority();

    std::string authority_file() const { return folder_ + "/ca.pem"; }

    CertificateFiles issue(const CertificateWish& wish);

    std::string write(const std::string& name, const std::string& content) const;

private:
    struct Keys;
    std::string folder_;
    Keys* keys_;
    int issued_ = 0;
};

}  // namespace pgveil::net
