#include "proxy/mirror/database.hpp"

#include "keyshare/core/secret.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <libpq-fe.h>
#include <poll.h>

namespace pgveil::mirror {

namespace {

struct Clear {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
};

using Answer = std::unique_ptr<PGresult, Clear>;

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
    std::ifstream file(path, std::ios::binary);
    file.rdbuf()->pubsetbuf(nullptr, 0);  // no second copy of the password in a stream buffer
    const auto bytes = password.reveal_mutable();
    std::size_t size = 0;
    for (int next = file.get(); next != EOF && next != '\n' && size + 1 < kPasswordMax;
         next = file.get()) {
        bytes[size++] = static_cast<std::uint8_t>(next);
    }
    if (size == 0) {
        return Error{
            "home.password_file " + path +
            " cannot be read or is empty: put the password of the "
            "proxy's own role on its first line"};
    }
    bytes[size] = 0;
    password.resize_down(size + 1);
    return password;
}

/// libpq takes several servers as lists of equal length.
std::string joined_hosts(const config::UpstreamSettings& upstream) {
    std::string list;
    for (const config::UpstreamHost& each : upstream.hosts) {
        list += (list.empty() ? "" : ",") + each.host;
    }
    return list;
}

std::string joined_ports(const config::UpstreamSettings& upstream) {
    std::string list;
    for (const config::UpstreamHost& each : upstream.hosts) {
        list += (list.empty() ? "" : ",") + std::to_string(each.port);
    }
    return list;
}

/// False when the answer is not there in time: a server that has stopped holds up nobody for ever.
bool has_answered(PGconn* connection, std::chrono::milliseconds timeout) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + timeout;
    while (PQisBusy(connection) == 1) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
        if (left <= 0) {
            return false;
        }
        pollfd socket{PQsocket(connection), POLLIN, 0};
        ::poll(&socket, 1, static_cast<int>(left));
        if (PQconsumeInput(connection) == 0) {
            break;  // lost: the result says so
        }
    }
    return true;
}

std::string seconds(std::uint32_t milliseconds) {
    constexpr std::uint32_t kLeastSeconds = 2;  // libpq takes less as this, too
    return std::to_string(std::max(kLeastSeconds, milliseconds / 1000));
}

}  // namespace

void Database::Finish::operator()(pg_conn* connection) const noexcept {
    PQfinish(connection);
}

Result<Database> Database::connect(const config::Settings& settings) {
    auto database = connect(settings, settings.home.database);
    if (database.has_value()) {
        const auto limited = database->run("SET statement_timeout = '10s'");
        if (!limited.has_value()) {
            return limited.error();
        }
    }
    return database;
}

Result<Database> Database::connect(const config::Settings& settings, const std::string& database) {
    return connect_as(settings, {database, settings.home.user, settings.home.password_file});
}

Result<Database> Database::connect_as(const config::Settings& settings, const Login& login) {
    const auto password = read_password(login.password_file);
    if (!password.has_value()) {
        return password.error();
    }
    const bool uses_tls = settings.upstream.tls == config::UpstreamTls::kVerifyFull;
    const std::string host = joined_hosts(settings.upstream);
    const std::string port = joined_ports(settings.upstream);
    const std::string timeout = seconds(settings.upstream.connect_timeout_ms);
    const auto* const secret =
        static_cast<const char*>(static_cast<const void*>(password->reveal().data()));
    const bool has_several = settings.upstream.hosts.size() > 1;
    const std::array<const char*, 12> names = {
        "host",
        "port",
        "target_session_attrs",
        "dbname",
        "user",
        "password",
        "sslmode",
        "sslrootcert",
        "connect_timeout",
        "application_name",
        "client_encoding",
        nullptr};
    const std::array<const char*, 12> values = {
        host.c_str(),
        port.c_str(),
        has_several ? "read-write" : "any",  // the mirror is written
        login.database.c_str(),
        login.user.c_str(),
        secret,
        uses_tls ? "verify-full" : "disable",
        uses_tls ? settings.upstream.ca.c_str() : nullptr,
        timeout.c_str(),
        "pgveil",
        "UTF8",
        nullptr};
    Connection connection(PQconnectdbParams(names.data(), values.data(), 0));
    std::string name = host + ":" + port + "/" + login.database;
    if (PQstatus(connection.get()) != CONNECTION_OK) {
        return Error{
            (login.database == settings.home.database ? "the home database " : "the database ") +
            name + " cannot be reached as user " + login.user + ": " +
            one_line(PQerrorMessage(connection.get()))};
    }
    return Database(std::move(connection), std::move(name));
}

Result<std::optional<core::SecretBytes>> Database::ask_secret(
    const std::string& query, const std::string& user, std::chrono::milliseconds timeout
) {
    PGconn* const connection = connection_.get();
    const std::array<const char*, 1> values = {user.c_str()};
    const bool is_sent =
        PQsendQueryParams(
            connection, query.c_str(), 1, nullptr, values.data(), nullptr, nullptr, 0
        ) == 1;
    if (!is_sent) {
        return Error{"database " + name_ + ": " + one_line(PQerrorMessage(connection))};
    }
    if (!has_answered(connection, timeout)) {
        return Error{"database " + name_ + ": it did not answer in time"};
    }
    const Answer answer(PQgetResult(connection));
    if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK) {
        return Error{"database " + name_ + ": " + one_line(PQresultErrorMessage(answer.get()))};
    }
    if (!has_answered(connection, timeout) || Answer(PQgetResult(connection)) != nullptr) {
        return Error{"database " + name_ + ": it did not end its answer"};
    }
    const int column = PQnfields(answer.get()) - 1;
    if (PQntuples(answer.get()) == 0 || column < 0 || PQgetisnull(answer.get(), 0, column) == 1) {
        return std::optional<core::SecretBytes>();
    }
    const std::string_view secret = PQgetvalue(answer.get(), 0, column);
    return std::optional(core::SecretBytes::copy_of(core::as_bytes(secret)));
}

Result<Rows> Database::run(std::string_view sql, const std::vector<std::string>& parameters) {
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const std::string& parameter : parameters) {
        values.push_back(parameter.c_str());
    }
    const Answer answer(PQexecParams(
        connection_.get(),
        std::string(sql).c_str(),
        static_cast<int>(values.size()),
        nullptr,
        values.data(),
        nullptr,
        nullptr,
        0
    ));
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        return Error{"database " + name_ + ": " + one_line(PQresultErrorMessage(answer.get()))};
    }
    Rows rows;
    for (int row = 0; row < PQntuples(answer.get()); ++row) {
        std::vector<std::string> cells;
        cells.reserve(static_cast<std::size_t>(PQnfields(answer.get())));
        for (int column = 0; column < PQnfields(answer.get()); ++column) {
            cells.emplace_back(PQgetvalue(answer.get(), row, column));
        }
        rows.push_back(std::move(cells));
    }
    return rows;
}

std::string Database::process_at_login() const {
    return std::to_string(PQbackendPID(connection_.get()));
}

}  // namespace pgveil::mirror
