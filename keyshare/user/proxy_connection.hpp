#pragma once

#include "keyshare/core/secret.hpp"
#include "keyshare/postgres/session.hpp"
#include "keyshare/user/error.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pgveil::user {

/// A libpq connection to the proxy, for the SQL calls it answers itself. Owns the connection and
/// closes it. One thread.
class ProxyConnection {
public:
    /// As a database login, with everything libpq reads (URL, PG* variables, pgpass, services).
    static Result<ProxyConnection> as_login(const std::string& url);

    /// For the bootstrap: whatever the URL says, user `bootstrap`, sslmode verify-full and
    /// channel_binding require, so that the one-time password also proves the proxy. The URL names
    /// the certificates to trust (sslrootcert). libpq keeps a copy of the password in plain heap
    /// until the connection is closed; it is spent by then.
    static Result<ProxyConnection> for_bootstrap(
        const std::string& url, const core::SecretBytes& one_time_password
    );

    /// Runs `SELECT pgveil.<function>(arguments)` with text results, the arguments
    /// as literals (unset: NULL), and returns its one value. Errors carry the server's own message
    /// and, where it sent one, its hint.
    Result<std::string> call(
        const std::string& function, const std::vector<std::optional<std::string>>& arguments
    );

    using Value = std::optional<std::string>;

    /// Runs one statement with text parameters (unset: NULL) and text results, and
    /// returns its rows; none for one that returns none. Errors as of call(), with `what` before.
    Result<std::vector<std::vector<Value>>> rows(
        const std::string& statement, const std::vector<Value>& parameters, const std::string& what
    );

    /// Whether the proxy still answers. False after a failed call: whether it was carried out is
    /// not known.
    bool is_alive() const;

    /// "host:port" as connected, for messages.
    std::string peer() const;

private:
    explicit ProxyConnection(postgres::Session session) : session_(std::move(session)) {}

    Result<std::string> statement(
        const std::string& function, const std::vector<std::optional<std::string>>& arguments
    );

    postgres::Session session_;
};

/// Whether the text is a URL or connection string for libpq (postgresql://, postgres://).
bool is_database_url(const std::string& text);

}  // namespace pgveil::user
