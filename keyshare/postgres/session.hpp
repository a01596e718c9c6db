#pragma once

#include "keyshare/postgres/answer.hpp"
#include "keyshare/postgres/failure.hpp"

#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct pg_conn;

namespace pgveil::postgres {

/// A connection parameter of libpq (PostgreSQL 34.1.2). Both are NUL-terminated and outlive the
/// call; without a value the parameter is left out.
struct ConnectionParameter {
    const char* name;
    const char* value;
};

/// Text parameters of a statement, $1 the first; nullptr is NULL. They outlive the call.
using Parameters = std::vector<const char*>;

Parameters parameters_of(const std::vector<std::string>& texts);
Parameters parameters_of(const std::vector<std::optional<std::string>>& texts);

/// A blocking session by libpq. Notices of the server are dropped. libpq keeps copies of what it is
/// given, passwords too, in ordinary memory. One thread at a time.
class Session {
public:
    using Timeout = std::chrono::milliseconds;

    /// With `dbname` as the name of a database, whatever it looks like.
    static Result<Session> connect(std::initializer_list<ConnectionParameter> parameters);
    /// With the first `dbname` as a URL or connection string; parameters after it win over it.
    static Result<Session> connect_url(std::initializer_list<ConnectionParameter> parameters);

    /// One statement. Waits for ever, or for `timeout`: after that nothing more can be asked here.
    Result<Answer> run(
        const std::string& sql,
        const Parameters& parameters = {},
        std::optional<Timeout> timeout = std::nullopt
    );
    /// One or more statements as one simple query; the answer is the last one's.
    Result<Answer> run_script(const std::string& sql);

    /// What `COPY ... TO STDOUT` sends, all of it.
    Result<std::string> copy_out(const std::string& sql);
    /// `COPY ... FROM STDIN`.
    Result<void> copy_in(const std::string& sql, std::string_view lines);

    /// A string constant in the server's syntax. Fails for what is no text in its encoding.
    Result<std::string> literal(std::string_view text);

    /// Waits for a notification (LISTEN), or until `timeout` or something to read at the descriptor
    /// `wake`. Fails if the connection is lost.
    Result<void> wait(Timeout timeout, int wake);

    /// Whether more can be asked.
    bool is_open() const;
    /// No transaction is open, and none has failed.
    bool is_idle() const;
    /// As connected.
    std::string host() const;
    std::string port() const;
    /// The server process that was named at the login (BackendKeyData).
    int process() const;

private:
    struct Finish {
        void operator()(pg_conn* connection) const noexcept;
    };

    explicit Session(pg_conn* connection) : connection_(connection) {}

    static Result<Session> connected(
        std::initializer_list<ConnectionParameter> parameters, bool is_url
    );

    Failure failure() const;
    Failure failure(const pg_result* result) const;
    Failure lost(std::string why);
    bool has_answered(std::optional<Timeout> timeout);
    bool take_notifications();
    Result<void> end_of_copy();

    std::unique_ptr<pg_conn, Finish> connection_;
    bool is_lost_ = false;
};

}  // namespace pgveil::postgres
