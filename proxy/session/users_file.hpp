#pragma once

#include "keyshare/core/secret.hpp"
#include "proxy/session/scram.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::session {

/// One line for a person: file, line number, what is wrong, what to do.
struct UsersError {
    std::string message;
};

/// Who may log in, and with which verifier. Immutable after parsing: share one snapshot between
/// workers by `shared_ptr<const Users>` and swap it at reload.
class Users {
public:
    /// The user's verifier, or null. Names compare byte for byte, as PostgreSQL role names do.
    const ScramVerifier* find(std::string_view user) const;

    /// A verifier for a name that does not exist, the same one as long as the process lives, shaped
    /// (iterations, salt length) like the file's first entry; so that a stranger cannot tell known
    /// from unknown users. It matches no password.
    ScramVerifier mock(std::string_view user) const;

    std::size_t size() const { return verifiers_.size(); }

    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& [name, verifier] : verifiers_) {
            all.push_back(name);
        }
        return all;
    }

    /// The path as given, for error texts.
    const std::string& path() const { return path_; }

    /// Things an operator should read once: e.g. that others can read the file.
    const std::vector<std::string>& warnings() const { return warnings_; }

private:
    friend class UsersReader;
    Users();

    std::string path_;
    std::map<std::string, ScramVerifier, std::less<>> verifiers_;
    std::uint32_t mock_iterations_;
    std::size_t mock_salt_size_;
    std::vector<std::string> warnings_;
};

using UsersResult = boost::system::result<std::shared_ptr<const Users>, UsersError>;

/// Parses pgbouncer's format: one `"user" "secret"` per line, `""` for a quote inside, the rest of
/// a line ignored, comments from `;` or `#` at the start of a line, empty lines allowed. The secret
/// must be a SCRAM-SHA-256 verifier as in pg_authid.rolpassword: plain and md5 passwords, a user
/// named twice and anything else are errors that name the line. `path` is for texts only.
UsersResult parse_users(std::string_view path, std::string_view text);

/// Reads and parses. A file others can write is refused; one others can read gives a warning,
/// because a verifier and one recorded login together let a reader log in as that user.
UsersResult load_users(const std::string& path);

}  // namespace pgveil::session
