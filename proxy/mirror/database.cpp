#include "proxy/mirror/database.hpp"

#include "keyshare/core/secret.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <libpq-fe.h>

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

std::string seconds(std::uint32_t milliseconds) {
    constexpr std::uint32_t kLeastSeconds = 2;  // libpq takes less as this, too
    return std::to_string(std::max(kLeastSeconds, milliseconds / 1000));
}

}  // namespace

void Database::Finish::operator()(pg_conn* connection) const noexcept {
    PQfinish(connection);
}

Result<Database> Database::connect(const config::Settings& settings) {
    return connect(settings, settings.home.database);
}

Result<Database> Database::connect(const config::Settings& settings, const std::string& database) {
    const auto password = read_password(settings.home.password_file);
    if (!password.has_value()) {
        return password.error();
    }
    const bool uses_tls = settings.upstream.tls == config::UpstreamTls::kVerifyFull;
    const std::string port = std::to_string(settings.upstream.port);
    const std::string timeout = seconds(settings.upstream.connect_timeout_ms);
    const auto* const secret =
        static_cast<const char*>(static_cast<const void*>(password->reveal().data()));
    const std::array<const char*, 11> names = {
        "host",
        "port",
        "dbname",
        "user",
        "password",
        "sslmode",
        "sslrootcert",
        "connect_timeout",
        "application_name",
        "client_encoding",
        nullptr};
    const std::array<const char*, 11> values = {
        settings.upstream.host.c_str(),
        port.c_str(),
        database.c_str(),
        settings.home.user.c_str(),
        secret,
        uses_tls ? "verify-full" : "disable",
        uses_tls ? settings.upstream.ca.c_str() : nullptr,
        timeout.c_str(),
        "pgveil",
        "UTF8",
        nullptr};
    Connection connection(PQconnectdbParams(names.data(), values.data(), 0));
    std::string name = settings.upstream.host + ":" + port + "/" + database;
    if (PQstatus(connection.get()) != CONNECTION_OK) {
        return Error{
            (database == settings.home.database ? "the home database " : "the database ") + name +
            " cannot be reached as user " + settings.home.user + ": " +
            one_line(PQerrorMessage(connection.get()))};
    }
    return Database(std::move(connection), std::move(name));
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

}  // namespace pgveil::mirror
