#include "proxy/migration/connection.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <libpq-fe.h>
#include <optional>
#include <utility>

namespace pgveil::migration {

namespace {

using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

void drop_notice(void* /*unused*/, const PGresult* /*unused*/) {}

std::string trimmed(std::string_view text) {
    const std::size_t end = text.find_last_not_of(" \n");
    return std::string(text.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

std::string field_of(const PGresult* result, int field) {
    const char* const text = PQresultErrorField(result, field);
    return text == nullptr ? std::string() : std::string(text);
}

bool is_good(const PGresult* result) {
    const ExecStatusType status = PQresultStatus(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

}  // namespace

Error unusable(std::string message) {
    return {std::move(message), {}, user::Exit::kUsage};
}

bool is_passing(const Error& error) {
    constexpr std::array<std::string_view, 3> kStates = {"40001", "40P01", "55P03"};
    return std::find(kStates.begin(), kStates.end(), error.sqlstate) != kStates.end();
}

Result<void> make_exact(Connection& connection) {
    const auto done = connection.run(
        "SET client_encoding = 'UTF8'; SET extra_float_digits = 1; SET DateStyle = 'ISO, YMD'; SET "
        "IntervalStyle = 'postgres'; SET TimeZone = 'UTC'; SET bytea_output = 'hex'; SET "
        "statement_timeout = 0"
    );
    return done ? Result<void>() : Result<void>(done.error());
}

void Connection::Close::operator()(pg_conn* connection) const noexcept {
    PQfinish(connection);
}

Result<Connection> Connection::open(
    const std::string& url, std::string what, const std::string& database
) {
    constexpr const char* kEnd = nullptr;
    const bool is_other = !database.empty();
    // Of two values of dbname the first is the URL, and the later one counts.
    const std::array keywords = {
        "dbname", "fallback_application_name", is_other ? "dbname" : kEnd, kEnd};
    const std::array values = {url.c_str(), "pgveil", is_other ? database.c_str() : kEnd, kEnd};
    Connection opened(PQconnectdbParams(keywords.data(), values.data(), 1), std::move(what));
    pg_conn* const connection = opened.connection_.get();
    if (connection == nullptr || PQstatus(connection) != CONNECTION_OK) {
        const std::string why =
            connection == nullptr ? "out of memory" : PQerrorMessage(connection);
        return unusable("no connection to " + opened.name_ + ": " + trimmed(why));
    }
    PQsetNoticeReceiver(connection, &drop_notice, nullptr);
    return opened;
}

Error Connection::failure(void* result) const {
    const auto* const answer = static_cast<const PGresult*>(result);
    const std::string primary = field_of(answer, PG_DIAG_MESSAGE_PRIMARY);
    if (primary.empty()) {
        return {name_ + ": " + trimmed(PQerrorMessage(connection_.get())), {}, user::Exit::kFailed};
    }
    Error error;
    error.sqlstate = field_of(answer, PG_DIAG_SQLSTATE);
    error.message = name_ + " says: " + primary + " (" + error.sqlstate + ")";
    for (const char part : {PG_DIAG_MESSAGE_DETAIL, PG_DIAG_MESSAGE_HINT}) {
        const std::string more = field_of(answer, part);
        error.message += more.empty() ? "" : "; " + more;
    }
    return error;
}

Result<Rows> Connection::rows_of(void* result) {
    const Answer answer(static_cast<PGresult*>(result), &PQclear);
    if (!is_good(answer.get())) {
        return failure(answer.get());
    }
    Rows rows(static_cast<std::size_t>(PQntuples(answer.get())));
    for (int i = 0; i < PQntuples(answer.get()); ++i) {
        for (int j = 0; j < PQnfields(answer.get()); ++j) {
            rows[static_cast<std::size_t>(i)].emplace_back(PQgetvalue(answer.get(), i, j));
        }
    }
    return rows;
}

Result<Rows> Connection::run(const std::string& sql) {
    return rows_of(PQexec(connection_.get(), sql.c_str()));
}

void* Connection::send(const std::string& sql, const Row& parameters) {
    std::vector<const char*> values;
    std::ranges::transform(parameters, std::back_inserter(values), [](const std::string& value) {
        return value.c_str();
    });
    return PQexecParams(
        connection_.get(),
        sql.c_str(),
        static_cast<int>(values.size()),
        nullptr,
        values.data(),
        nullptr,
        nullptr,
        0
    );
}

Result<Rows> Connection::ask(const std::string& sql, const Row& parameters) {
    return rows_of(send(sql, parameters));
}

Result<std::vector<Cells>> Connection::cells(const std::string& sql, const Row& parameters) {
    const Answer answer(static_cast<PGresult*>(send(sql, parameters)), &PQclear);
    if (!is_good(answer.get())) {
        return failure(answer.get());
    }
    std::vector<Cells> rows(static_cast<std::size_t>(PQntuples(answer.get())));
    for (int i = 0; i < PQntuples(answer.get()); ++i) {
        for (int j = 0; j < PQnfields(answer.get()); ++j) {
            const bool is_null = PQgetisnull(answer.get(), i, j) == 1;
            rows[static_cast<std::size_t>(i)].push_back(
                is_null ? std::nullopt : std::optional<std::string>(PQgetvalue(answer.get(), i, j))
            );
        }
    }
    return rows;
}

Result<void> Connection::set(const std::vector<std::pair<std::string, core::ByteView>>& parameters
) {
    std::string sql = "SELECT ";
    std::vector<core::SecretBytes> ended;  // libpq wants a final NUL
    std::vector<const char*> values;
    for (const auto& [name, value] : parameters) {
        ended.push_back(core::SecretBytes::copy_of(value));
        ended.back().append(core::as_bytes(std::string_view("\0", 1)));
        sql += ended.size() == 1 ? "" : ", ";
        sql += "set_config('" + name + "', $" + std::to_string(ended.size()) + ", false)";
    }
    std::ranges::transform(ended, std::back_inserter(values), [](const core::SecretBytes& value) {
        return core::as_text(value.reveal()).data();
    });
    const auto done = rows_of(PQexecParams(
        connection_.get(),
        sql.c_str(),
        static_cast<int>(values.size()),
        nullptr,
        values.data(),
        nullptr,
        nullptr,
        0
    ));
    return done ? Result<void>() : Result<void>(done.error());
}

Result<std::string> Connection::copy_out(const std::string& sql) {
    const Answer begun(PQexec(connection_.get(), sql.c_str()), &PQclear);
    if (PQresultStatus(begun.get()) != PGRES_COPY_OUT) {
        return failure(begun.get());
    }
    std::string lines;
    char* piece = nullptr;
    for (int size = 0; (size = PQgetCopyData(connection_.get(), &piece, 0)) > 0;) {
        lines.append(piece, static_cast<std::size_t>(size));
        PQfreemem(piece);
    }
    std::optional<Error> error;
    while (PGresult* const end = PQgetResult(connection_.get())) {
        const auto done = rows_of(end);
        error = done ? error : std::optional<Error>(done.error());
    }
    if (error) {
        return *error;
    }
    return Result<std::string>(boost::system::in_place_value, std::move(lines));
}

Result<void> Connection::copy_in(const std::string& sql, std::string_view lines) {
    constexpr std::size_t kPiece = 65536;
    const Answer begun(PQexec(connection_.get(), sql.c_str()), &PQclear);
    if (PQresultStatus(begun.get()) != PGRES_COPY_IN) {
        return failure(begun.get());
    }
    bool is_sent = true;
    for (std::size_t at = 0; is_sent && at < lines.size(); at += kPiece) {
        const std::string_view piece = lines.substr(at, kPiece);
        is_sent =
            PQputCopyData(connection_.get(), piece.data(), static_cast<int>(piece.size())) == 1;
    }
    if (is_sent) {
        PQputCopyEnd(connection_.get(), nullptr);
    }
    std::optional<Error> error;
    while (PGresult* const end = PQgetResult(connection_.get())) {
        const auto done = rows_of(end);
        error = done ? error : std::optional<Error>(done.error());
    }
    return error ? Result<void>(*error) : Result<void>();
}

}  // namespace pgveil::migration
