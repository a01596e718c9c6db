#include "keyshare/postgres/session.hpp"

#include <algorithm>
#include <array>
#include <libpq-fe.h>
#include <poll.h>

namespace pgveil::postgres {

namespace {

using Clock = std::chrono::steady_clock;
using OneAnswer = std::unique_ptr<PGresult, decltype(&PQclear)>;

void drop_notice(void* /*unused*/, const PGresult* /*unused*/) {}

OneAnswer owned(PGresult* result) {
    return {result, &PQclear};
}

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

std::string Failure::line() const {
    std::string line = text;
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line;
}

Parameters parameters_of(const std::vector<std::string>& texts) {
    Parameters parameters;
    parameters.reserve(texts.size());
    for (const std::string& text : texts) {
        parameters.push_back(text.c_str());
    }
    return parameters;
}

Parameters parameters_of(const std::vector<std::optional<std::string>>& texts) {
    Parameters parameters;
    parameters.reserve(texts.size());
    for (const auto& text : texts) {
        parameters.push_back(text ? text->c_str() : nullptr);
    }
    return parameters;
}

void Session::Finish::operator()(pg_conn* connection) const noexcept {
    PQfinish(connection);
}

Result<Session> Session::connect(std::initializer_list<ConnectionParameter> parameters) {
    return connected(parameters, false);
}

Result<Session> Session::connect_url(std::initializer_list<ConnectionParameter> parameters) {
    return connected(parameters, true);
}

Result<Session> Session::connected(
    std::initializer_list<ConnectionParameter> parameters, bool is_url
) {
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const ConnectionParameter& parameter : parameters) {
        names.push_back(parameter.name);
        values.push_back(parameter.value);
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    Session session(PQconnectdbParams(names.data(), values.data(), is_url ? 1 : 0));
    if (PQstatus(session.connection_.get()) != CONNECTION_OK) {
        return session.failure();
    }
    PQsetNoticeReceiver(session.connection_.get(), &drop_notice, nullptr);
    return session;
}

Failure Session::failure() const {
    std::string text =
        connection_ ? trimmed(PQerrorMessage(connection_.get())) : std::string("out of memory");
    return {.text = text.empty() ? "the connection was lost" : std::move(text)};
}

Failure Session::failure(const PGresult* result) const {
    std::string primary = field_of(result, PG_DIAG_MESSAGE_PRIMARY);
    if (primary.empty()) {
        return failure();
    }
    return {
        .text = trimmed(PQresultErrorMessage(result)),
        .primary = std::move(primary),
        .sqlstate = field_of(result, PG_DIAG_SQLSTATE),
        .detail = field_of(result, PG_DIAG_MESSAGE_DETAIL),
        .hint = field_of(result, PG_DIAG_MESSAGE_HINT)};
}

Failure Session::lost(std::string why) {
    is_lost_ = true;
    return {.text = std::move(why)};
}

bool Session::has_answered(std::optional<Timeout> timeout) {
    const Clock::time_point end = Clock::now() + timeout.value_or(Timeout(0));
    while (PQisBusy(connection_.get()) == 1) {
        const auto left = std::chrono::ceil<Timeout>(end - Clock::now()).count();
        if (timeout && left <= 0) {
            return false;
        }
        pollfd socket{PQsocket(connection_.get()), POLLIN, 0};
        ::poll(&socket, 1, timeout ? static_cast<int>(left) : -1);
        if (PQconsumeInput(connection_.get()) == 0) {
            break;  // lost: the result says so
        }
    }
    return true;
}

Result<Answer> Session::run(
    const std::string& sql, const Parameters& parameters, std::optional<Timeout> timeout
) {
    PGconn* const connection = connection_.get();
    if (is_lost_) {
        return lost("the connection was given up before");
    }
    const bool is_sent = PQsendQueryParams(
                             connection,
                             sql.c_str(),
                             static_cast<int>(parameters.size()),
                             nullptr,
                             parameters.data(),
                             nullptr,
                             nullptr,
                             0
                         ) == 1;
    if (!is_sent) {
        is_lost_ = true;
        return failure();
    }
    if (!has_answered(timeout)) {
        return lost("it did not answer in time");
    }
    OneAnswer first = owned(PQgetResult(connection));
    while (!is_lost_) {
        is_lost_ = !has_answered(timeout);
        if (is_lost_ || owned(PQgetResult(connection)) == nullptr) {
            break;
        }
    }
    if (!is_good(first.get())) {
        is_lost_ = is_lost_ || PQstatus(connection) != CONNECTION_OK;
        return failure(first.get());
    }
    return Answer(first.release());
}

Result<Answer> Session::run_script(const std::string& sql) {
    OneAnswer answer = owned(PQexec(connection_.get(), sql.c_str()));
    if (!is_good(answer.get())) {
        return failure(answer.get());
    }
    return Answer(answer.release());
}

Result<void> Session::end_of_copy() {
    std::optional<Failure> failed;
    while (const OneAnswer end = owned(PQgetResult(connection_.get()))) {
        if (!is_good(end.get())) {
            failed = failure(end.get());
        }
    }
    return failed ? Result<void>(*std::move(failed)) : Result<void>();
}

Result<std::string> Session::copy_out(const std::string& sql) {
    const OneAnswer begun = owned(PQexec(connection_.get(), sql.c_str()));
    if (PQresultStatus(begun.get()) != PGRES_COPY_OUT) {
        return failure(begun.get());
    }
    std::string lines;
    char* piece = nullptr;
    for (int size = 0; (size = PQgetCopyData(connection_.get(), &piece, 0)) > 0;) {
        lines.append(piece, static_cast<std::size_t>(size));
        PQfreemem(piece);
    }
    const auto ended = end_of_copy();
    if (!ended) {
        return ended.error();
    }
    return Result<std::string>(boost::system::in_place_value, std::move(lines));
}

Result<void> Session::copy_in(const std::string& sql, std::string_view lines) {
    constexpr std::size_t kPiece = 65536;
    const OneAnswer begun = owned(PQexec(connection_.get(), sql.c_str()));
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
    return end_of_copy();
}

Result<std::string> Session::literal(std::string_view text) {
    const std::unique_ptr<char, decltype(&PQfreemem)> quoted(
        PQescapeLiteral(connection_.get(), text.data(), text.size()), &PQfreemem
    );
    if (!quoted) {
        return failure();
    }
    return Result<std::string>(boost::system::in_place_value, quoted.get());
}

Result<void> Session::wait(Timeout timeout, int wake) {
    if (take_notifications()) {
        return {};  // came with an answer
    }
    std::array<pollfd, 2> sockets{{{PQsocket(connection_.get()), POLLIN, 0}, {wake, POLLIN, 0}}};
    ::poll(sockets.data(), sockets.size(), static_cast<int>(timeout.count()));
    if (PQconsumeInput(connection_.get()) == 0) {
        is_lost_ = true;
        return failure();
    }
    take_notifications();
    return {};
}

bool Session::take_notifications() {
    bool had_some = false;
    while (PGnotify* const notification = PQnotifies(connection_.get())) {
        PQfreemem(notification);
        had_some = true;
    }
    return had_some;
}

bool Session::is_open() const {
    return !is_lost_ && PQstatus(connection_.get()) == CONNECTION_OK;
}

bool Session::is_idle() const {
    return PQtransactionStatus(connection_.get()) == PQTRANS_IDLE;
}

std::string Session::host() const {
    return PQhost(connection_.get());
}

std::string Session::port() const {
    return PQport(connection_.get());
}

int Session::process() const {
    return PQbackendPID(connection_.get());
}

}  // namespace pgveil::postgres
