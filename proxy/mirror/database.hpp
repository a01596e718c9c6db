#pragma once

#include "config/settings.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/postgres/session.hpp"

#include <boost/system/result.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::mirror {

/// One line for a person: which server and database, what happened, what to do.
struct Error {
    std::string message;
};

template <class T>
using Result = boost::system::result<T, Error>;

/// The rows of one answer, as text; an empty string also stands for NULL.
using Rows = std::vector<std::vector<std::string>>;

/// Who connects, and where to.
struct Login {
    std::string database;
    std::string user;
    std::string password_file;  // path; empty: no password
};

/// The proxy's own short-lived connection to its home database, by libpq and with the proxy's own
/// role. Blocking: never on a worker. One thread at a time.
class Database {
public:
    /// TLS as the settings say for the upstream leg; the whole attempt is bounded by
    /// upstream.connect_timeout_ms (at least 2 s). Each statement gets 10 s there: who holds a lock
    /// must not hold up the thread that waits for signals.
    static Result<Database> connect(const config::Settings& settings);
    /// The same to another database of the server.
    static Result<Database> connect(const config::Settings& settings, const std::string& database);

    /// With a role of its own. The database must be writable if there are several servers.
    static Result<Database> connect_as(const config::Settings& settings, const Login& login);

    /// The last column of the first row of `query`, whose $1 is `user`; nothing without a row, or
    /// with NULL there. libpq's copy of the secret is wiped when it is freed. After an error, such
    /// as no answer within `timeout`, the connection is good for nothing more.
    Result<std::optional<core::SecretBytes>> ask_secret(
        const std::string& query, const std::string& user, std::chrono::milliseconds timeout
    );

    Result<Rows> run(std::string_view sql, const std::vector<std::string>& parameters = {});

    /// The server process as it was named at the login (BackendKeyData); a pooler names one of its
    /// own making.
    std::string process_at_login() const;

private:
    Database(postgres::Session session, std::string name)
        : session_(std::move(session)), name_(std::move(name)) {}

    postgres::Session session_;
    std::string name_;  // "host:port/database", for messages
};

}  // namespace pgveil::mirror
