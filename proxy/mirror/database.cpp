#include "proxy/mirror/database.hpp"

#include "keyshare/postgres/password_file.hpp"

#include <algorithm>

namespace pgveil::mirror {

namespace {

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

std::string seconds(std::uint32_t milliseconds) {
    constexpr std::uint32_t kLeastSeconds = 2;  // libpq takes less as this, too
    return std::to_string(std::max(kLeastSeconds, milliseconds / 1000));
}

}  // namespace

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
    const auto password = postgres::read_password(login.password_file);
    if (!password.has_value()) {
        return Error{
            "home.password_file " + login.password_file +
            " cannot be read or is empty: put the password of the "
            "proxy's own role on its first line"};
    }
    const bool uses_tls = settings.upstream.tls == config::UpstreamTls::kVerifyFull;
    const std::string host = joined_hosts(settings.upstream);
    const std::string port = joined_ports(settings.upstream);
    const std::string timeout = seconds(settings.upstream.connect_timeout_ms);
    const bool has_several = settings.upstream.hosts.size() > 1;
    std::string name = host + ":" + port + "/" + login.database;
    auto session = postgres::Session::connect(
        {{"host", host.c_str()},
         {"port", port.c_str()},
         {"target_session_attrs", has_several ? "read-write" : "any"},  // the mirror is written
         {"dbname", login.database.c_str()},
         {"user", login.user.c_str()},
         {"password", core::as_text(password->reveal()).data()},
         {"sslmode", uses_tls ? "verify-full" : "disable"},
         {"sslrootcert", uses_tls ? settings.upstream.ca.c_str() : nullptr},
         {"connect_timeout", timeout.c_str()},
         {"application_name", "pgveil"},
         {"client_encoding", "UTF8"}}
    );
    if (!session) {
        return Error{
            (login.database == settings.home.database ? "the home database " : "the database ") +
            name + " cannot be reached as user " + login.user + ": " + session.error().line()};
    }
    return Database(*std::move(session), std::move(name));
}

Result<std::optional<core::SecretBytes>> Database::ask_secret(
    const std::string& query, const std::string& user, std::chrono::milliseconds timeout
) {
    const auto answer = session_.run(query, {user.c_str()}, timeout);
    if (!answer) {
        return Error{"database " + name_ + ": " + answer.error().line()};
    }
    const int column = answer->columns() - 1;
    if (answer->rows() == 0 || column < 0 || answer->is_null(0, column)) {
        return std::optional<core::SecretBytes>();
    }
    return std::optional(core::SecretBytes::copy_of(core::as_bytes(answer->view(0, column))));
}

Result<Rows> Database::run(std::string_view sql, const std::vector<std::string>& parameters) {
    const auto answer = session_.run(std::string(sql), postgres::parameters_of(parameters));
    if (!answer) {
        return Error{"database " + name_ + ": " + answer.error().line()};
    }
    return answer->texts();
}

std::string Database::process_at_login() const {
    return std::to_string(session_.process());
}

}  // namespace pgveil::mirror
