#pragma once

#include "keyshare/core/secret.hpp"
#include "keyshare/postgres/session.hpp"
#include "keyshare/user/error.hpp"

#include <boost/system/result.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgveil::migration {

/// One line for a person, and the SQLSTATE where a server said it (else empty).
struct Error {
    std::string message;
    std::string sqlstate;
    user::Exit code = user::Exit::kFailed;
};

template <class T>
using Result = boost::system::result<T, Error>;

using Row = std::vector<std::string>;
/// As text; an empty string also stands for NULL.
using Rows = std::vector<Row>;
/// As text; nothing stands for NULL.
using Cells = std::vector<std::optional<std::string>>;

/// Wrong arguments, or something that a person has to change first.
Error unusable(std::string message);

/// Another transaction was in the way: the same again may go well.
bool is_passing(const Error& error);

/// A session by libpq. Blocking; one thread. A lost connection is an error like any other: what was
/// not committed is undone by the server.
class Connection {
public:
    /// `what` names it in errors: "the proxy". `database` stands in for the one of the URL, unless
    /// it is empty.
    static Result<Connection> open(
        const std::string& url, std::string what, const std::string& database = {}
    );

    /// One or more statements as one simple query: all of them or none, unless they say BEGIN. The
    /// rows are the last statement's.
    Result<Rows> run(const std::string& sql);

    /// One statement with parameters, as text.
    Result<Rows> ask(const std::string& sql, const Row& parameters);

    /// The same, where NULL is to be told from an empty string.
    Result<std::vector<Cells>> cells(const std::string& sql, const Row& parameters);

    /// Session parameters, by set_config(). libpq's copy of the values is not in secret memory.
    Result<void> set(const std::vector<std::pair<std::string, core::ByteView>>& parameters);

    /// What `COPY ... TO STDOUT` sends, all of it.
    Result<std::string> copy_out(const std::string& sql);

    /// `COPY ... FROM STDIN`.
    Result<void> copy_in(const std::string& sql, std::string_view lines);

    /// A line of its own in errors and notes.
    const std::string& name() const { return name_; }

private:
    Connection(postgres::Session session, std::string name)
        : session_(std::move(session)), name_(std::move(name)) {}

    Error failure(const postgres::Failure& failure) const;
    Result<Rows> rows_of(const postgres::Result<postgres::Answer>& answer) const;

    postgres::Session session_;
    std::string name_;
};

/// Settings under which every value's text is exact. Once for each session.
Result<void> make_exact(Connection& connection);

}  // namespace pgveil::migration
