#pragma once

#include "keyshare/postgres/session.hpp"
#include "keyshare/store/error.hpp"
#include "keyshare/store/store_place.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgveil::store {

using postgres::Answer;

/// An array as a parameter: the text form of text[].
std::string array_of(const std::vector<std::string>& elements);

/// A connection to the share store's PostgreSQL, by libpq. Blocks, but no longer than the place's
/// timeout for the connection and for each answer: after a timeout, and after each kUnavailable,
/// it is good for nothing more. One thread at a time.
class Connection {
public:
    static Result<Connection> open(const PostgresqlPlace& place);

    /// One statement with its parameters, $1 the first.
    Result<Answer> run(std::string_view sql, const std::vector<std::string>& parameters = {});
    /// The same in a transaction that ends with COMMIT, or with ROLLBACK if `work` gives an error
    /// or throws; where that fails, too, the connection is good for nothing more.
    Result<void> in_transaction(
        std::string_view begin, const std::function<Result<void>(Connection&)>& work
    );
    /// Waits for a notification, or until `timeout` or something to read at the descriptor
    /// `wake`. An error if the connection is lost.
    Result<void> wait(std::chrono::milliseconds timeout, int wake);

    bool is_usable() const;

private:
    Connection(postgres::Session session, std::string name, std::chrono::milliseconds timeout)
        : session_(std::move(session)), name_(std::move(name)), timeout_(timeout) {}

    void roll_back() noexcept;

    postgres::Session session_;
    std::string name_;  // for messages
    std::chrono::milliseconds timeout_;
    bool is_given_up_ = false;
};

/// Connections that are open and not in use. Any thread.
class ConnectionPool {
public:
    explicit ConnectionPool(PostgresqlPlace place) : place_(std::move(place)) {}

    /// Runs `work` with a connection of its own. What was found closed by the server is opened
    /// anew and `work` run again, once: it must bear that.
    Result<void> with(const std::function<Result<void>(Connection&)>& work);

private:
    std::unique_ptr<Connection> take();
    void give_back(std::unique_ptr<Connection> connection);

    PostgresqlPlace place_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace pgveil::store
