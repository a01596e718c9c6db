#pragma once

#include "keyshare/core/secret.hpp"
#include "proxy/session/scram.hpp"

#include <boost/system/result.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::session {

/// What the proxy knows of a user for the login upstream: a password, or what the method md5 makes
/// of it (`md5` and 32 digits). Move-only.
struct UpstreamPassword {
    core::SecretBytes text;
    bool is_md5 = false;
    std::optional<ScramVerifier> verifier;  // of a password in ASCII, for the login of the client
};

/// Passwords for database servers that ask for them (md5, password), and for users who log in to
/// the proxy with a certificate. Immutable after parsing; shared as Users are.
class Passwords {
public:
    const UpstreamPassword* find(std::string_view user) const;

    std::size_t size() const { return passwords_.size(); }

    const std::string& path() const { return path_; }

    const std::vector<std::string>& warnings() const { return warnings_; }

private:
    friend class PasswordsReader;

    std::string path_;
    std::map<std::string, UpstreamPassword, std::less<>> passwords_;
    std::vector<std::string> warnings_;
};

/// The error is one line: file, line number, what is wrong; never a password.
using PasswordsResult = boost::system::result<std::shared_ptr<const Passwords>, std::string>;

/// Lines of "user" "password" in the users file's format. SCRAM secrets belong into the users file
/// and are errors here.
PasswordsResult parse_passwords(std::string_view path, std::string_view text);

/// Reads and parses; refused and warned about as the users file.
PasswordsResult load_passwords(const std::string& path);

}  // namespace pgveil::session
