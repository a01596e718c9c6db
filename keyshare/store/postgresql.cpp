#include "keyshare/store/postgresql.hpp"

#include "keyshare/core/secret.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <unistd.h>

namespace pgveil::store {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kWhatToDo =
    "; pgveil serves nothing without it: start its server, or correct \"store\" in the settings";

std::string one_line(std::string_view text) {
    std::string line(text);
    std::replace(line.begin(), line.end(), '\n', ' ');
    while (!line.empty() && line.back() == ' ') {
        line.pop_back();
    }
    return line;
}

/// The first line of the file, NUL-terminated for libpq; one byte (the NUL) without a file.
Result<core::SecretBytes> read_password(const std::string& path) {
    constexpr std::size_t kPasswordMax = 1024;
    core::SecretBytes password(kPasswordMax);
    if (path.empty()) {
        password.resize_down(1);
        return password;
    }
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const auto bytes = password.reveal_mutable();
    const ssize_t got = file < 0 ? -1 : ::read(file, bytes.data(), kPasswordMax - 1);
    if (file >= 0) {
        ::close(file);
    }
    const auto size = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    const auto line = bytes.first(size);
    const auto end = static_cast<std::size_t>(std::ranges::find(line, '\n') - line.begin());
    if (end == 0) {
        return Error{
            ErrorCode::kUnavailable,
            "store.password_file " + path +
                " cannot be read or is empty: put the password of store.user on its first line"};
    }
    bytes[end] = 0;
    password.resize_down(end + 1);
    return password;
}

template <class Text>
std::string joined(const std::vector<StoreServer>& servers, Text text) {
    std::string list;
    for (const StoreServer& server : servers) {
        list += (list.empty() ? "" : ",") + text(server);
    }
    return list;
}

std::string seconds(std::uint32_t milliseconds) {
    constexpr std::uint32_t kLeastSeconds = 2;  // libpq takes less as this, too
    return std::to_string(std::max(kLeastSeconds, milliseconds / 1000));
}

void ignore_notice(void* /*unused*/, const char* /*unused*/) {}

}  // namespace

void Answer::Clear::operator()(pg_result* result) const noexcept {
    PQclear(result);
}

int Answer::rows() const {
    return PQntuples(result_.get());
}

std::string Answer::text(int row, int column) const {
    return PQgetvalue(result_.get(), row, column);
}

std::int64_t Answer::number(int row, int column) const {
    const std::string digits = text(row, column);
    std::int64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

core::Bytes Answer::bytes(int row, int column) const {
    auto bytes = core::from_hex(text(row, column));
    return bytes.has_value() ? *std::move(bytes) : core::Bytes();  // does not open, then
}

std::int64_t Answer::touched() const {
    const std::string_view digits = PQcmdTuples(result_.get());
    std::int64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

std::string array_of(const std::vector<std::string>& elements) {
    std::string array = "{";
    for (const std::string& element : elements) {
        array += array.size() > 1 ? ",\"" : "\"";
        for (const char letter : element) {
            if (letter == '"' || letter == '\\') {
                array += '\\';
            }
            array += letter;
        }
        array += '"';
    }
    return array + "}";
}

void Connection::Finish::operator()(pg_conn* connection) const noexcept {
    PQfinish(connection);
}

Error Connection::failure(const std::string& why) const {
    return Error{ErrorCode::kUnavailable, "the share store " + name_ + " cannot be used: " + why};
}

Result<Connection> Connection::open(const PostgresqlPlace& place) {
    const auto password = read_password(place.password_file);
    if (!password.has_value()) {
        return password.error();
    }
    const std::string host = joined(place.servers, [](const auto& server) { return server.host; });
    const std::string port =
        joined(place.servers, [](const auto& server) { return std::to_string(server.port); });
    const std::string timeout = seconds(place.timeout_ms);
    const std::string silence = std::to_string(place.timeout_ms);
    const auto* const secret =
        static_cast<const char*>(static_cast<const void*>(password->reveal().data()));
    const bool uses_tls = !place.ca.empty();
    const std::array<const char*, 14> names = {
        "host",
        "port",
        "target_session_attrs",
        "dbname",
        "user",
        "password",
        "sslmode",
        "sslrootcert",
        "connect_timeout",
        "tcp_user_timeout",
        "application_name",
        "client_encoding",
        "gssencmode",
        nullptr};
    const std::array<const char*, 14> values = {
        host.c_str(),
        port.c_str(),
        "read-write",
        place.database.c_str(),
        place.user.c_str(),
        secret,
        uses_tls ? "verify-full" : "disable",
        uses_tls ? place.ca.c_str() : nullptr,
        timeout.c_str(),
        silence.c_str(),
        "pgveil store",
        "UTF8",
        "disable",
        nullptr};
    pg_conn* const raw = PQconnectdbParams(names.data(), values.data(), 0);
    Connection connection(
        raw, host + ":" + port + "/" + place.database, std::chrono::milliseconds(place.timeout_ms)
    );
    if (PQstatus(raw) != CONNECTION_OK) {
        return connection.failure(one_line(PQerrorMessage(raw)) + kWhatToDo);
    }
    PQsetNoticeProcessor(raw, &ignore_notice, nullptr);
    const auto limited = connection.run(
        "SELECT pg_catalog.set_config('statement_timeout', $1, false), "
        "pg_catalog.set_config('lock_timeout', $1, false), "
        "pg_catalog.set_config('idle_in_transaction_session_timeout', $1, false), "
        "pg_catalog.set_config('search_path', 'pg_catalog', false)",
        {silence}
    );
    return limited.has_value() ? Result<Connection>(std::move(connection)) : limited.error();
}

bool Connection::is_usable() const {
    return !is_lost_ && PQstatus(connection_.get()) == CONNECTION_OK &&
           PQtransactionStatus(connection_.get()) == PQTRANS_IDLE;
}

bool Connection::has_answered() {
    const Clock::time_point end = Clock::now() + timeout_;
    while (PQisBusy(connection_.get()) == 1) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
        if (left <= 0) {
            return false;
        }
        pollfd socket{PQsocket(connection_.get()), POLLIN, 0};
        ::poll(&socket, 1, static_cast<int>(left));
        if (PQconsumeInput(connection_.get()) == 0) {
            break;  // lost: the result says so
        }
    }
    return true;
}

Result<Answer> Connection::run(std::string_view sql, const std::vector<std::string>& parameters) {
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const std::string& parameter : parameters) {
        values.push_back(parameter.c_str());
    }
    PGconn* const connection = connection_.get();
    const bool is_sent = PQsendQueryParams(
                             connection,
                             std::string(sql).c_str(),
                             static_cast<int>(values.size()),
                             nullptr,
                             values.data(),
                             nullptr,
                             nullptr,
                             0
                         ) == 1;
    if (!is_sent || !has_answered()) {
        is_lost_ = true;
        return failure(
            is_sent ? "it did not answer in time" : one_line(PQerrorMessage(connection))
        );
    }
    pg_result* const first = PQgetResult(connection);
    Answer answer(first);
    while (!is_lost_) {
        is_lost_ = !has_answered();
        pg_result* const more = is_lost_ ? nullptr : PQgetResult(connection);
        if (more == nullptr) {
            break;
        }
        PQclear(more);
    }
    const ExecStatusType status = PQresultStatus(first);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        is_lost_ = is_lost_ || PQstatus(connection) != CONNECTION_OK;
        return failure(
            one_line(first == nullptr ? PQerrorMessage(connection) : PQresultErrorMessage(first))
        );
    }
    return answer;
}

void Connection::roll_back() noexcept {
    try {
        is_lost_ = is_lost_ || !run("ROLLBACK").has_value();
    } catch (...) {
        is_lost_ = true;
    }
}

Result<void> Connection::in_transaction(
    std::string_view begin, const std::function<Result<void>(Connection&)>& work
) {
    const auto begun = run(begin);
    if (!begun.has_value()) {
        return begun.error();
    }
    Result<void> done;
    try {
        done = work(*this);
    } catch (...) {  // out of memory
        roll_back();
        throw;
    }
    if (!done.has_value()) {
        roll_back();
        return done;
    }
    const auto committed = run("COMMIT");
    return committed.has_value() ? Result<void>() : committed.error();
}

Result<void> Connection::wait(std::chrono::milliseconds timeout, int wake) {
    if (take_notices()) {
        return {};  // came with an answer
    }
    std::array<pollfd, 2> sockets{{{PQsocket(connection_.get()), POLLIN, 0}, {wake, POLLIN, 0}}};
    ::poll(sockets.data(), sockets.size(), static_cast<int>(timeout.count()));
    if (PQconsumeInput(connection_.get()) == 0) {
        is_lost_ = true;
        return failure(one_line(PQerrorMessage(connection_.get())));
    }
    take_notices();
    return {};
}

bool Connection::take_notices() {
    bool had_some = false;
    while (PGnotify* const notice = PQnotifies(connection_.get())) {
        PQfreemem(notice);
        had_some = true;
    }
    return had_some;
}

std::unique_ptr<Connection> ConnectionPool::take() {
    const std::scoped_lock lock(mutex_);
    if (idle_.empty()) {
        return nullptr;
    }
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
}

void ConnectionPool::give_back(std::unique_ptr<Connection> connection) {
    const std::scoped_lock lock(mutex_);
    if (connection->is_usable()) {
        idle_.push_back(std::move(connection));
    } else {
        idle_.clear();  // what lost one has probably lost all
    }
}

Result<void> ConnectionPool::with(const std::function<Result<void>(Connection&)>& work) {
    const auto begun = std::chrono::steady_clock::now();
    if (auto connection = take()) {
        auto done = work(*connection);
        const bool was_stale =
            !connection->is_usable() &&
            std::chrono::steady_clock::now() - begun < std::chrono::milliseconds(place_.timeout_ms);
        give_back(std::move(connection));
        if (!was_stale) {
            return done;
        }
    }
    auto opened = Connection::open(place_);
    if (!opened.has_value()) {
        return opened.error();
    }
    auto connection = std::make_unique<Connection>(*std::move(opened));
    auto done = work(*connection);
    give_back(std::move(connection));
    return done;
}

}  // namespace pgveil::store
