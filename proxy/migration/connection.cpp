#include "proxy/migration/connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pgveil::migration {

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

Result<Connection> Connection::open(
    const std::string& url, std::string what, const std::string& database
) {
    // Of two values of dbname the first is the URL, and the later one counts.
    auto session = postgres::Session::connect_url(
        {{"dbname", url.c_str()},
         {"fallback_application_name", "pgveil"},
         {"dbname", database.empty() ? nullptr : database.c_str()}}
    );
    if (!session) {
        return unusable("no connection to " + what + ": " + session.error().text);
    }
    return Connection(*std::move(session), std::move(what));
}

Error Connection::failure(const postgres::Failure& failure) const {
    if (failure.primary.empty()) {
        return {name_ + ": " + failure.text, {}, user::Exit::kFailed};
    }
    Error error;
    error.sqlstate = failure.sqlstate;
    error.message = name_ + " says: " + failure.primary + " (" + error.sqlstate + ")";
    for (const std::string& more : {failure.detail, failure.hint}) {
        error.message += more.empty() ? "" : "; " + more;
    }
    return error;
}

Result<Rows> Connection::rows_of(const postgres::Result<postgres::Answer>& answer) const {
    if (!answer) {
        return failure(answer.error());
    }
    return answer->texts();
}

Result<Rows> Connection::run(const std::string& sql) {
    return rows_of(session_.run_script(sql));
}

Result<Rows> Connection::ask(const std::string& sql, const Row& parameters) {
    return rows_of(session_.run(sql, postgres::parameters_of(parameters)));
}

Result<std::vector<Cells>> Connection::cells(const std::string& sql, const Row& parameters) {
    const auto answer = session_.run(sql, postgres::parameters_of(parameters));
    if (!answer) {
        return failure(answer.error());
    }
    return answer->cells();
}

Result<void> Connection::set(const std::vector<std::pair<std::string, core::ByteView>>& parameters
) {
    std::string sql = "SELECT ";
    std::vector<core::SecretBytes> ended;  // libpq wants a final NUL
    postgres::Parameters values;
    for (const auto& [name, value] : parameters) {
        ended.push_back(core::SecretBytes::copy_of(value));
        ended.back().append(core::as_bytes(std::string_view("\0", 1)));
        sql += ended.size() == 1 ? "" : ", ";
        sql += "set_config('" + name + "', $" + std::to_string(ended.size()) + ", false)";
    }
    std::ranges::transform(ended, std::back_inserter(values), [](const core::SecretBytes& value) {
        return core::as_text(value.reveal()).data();
    });
    const auto done = session_.run(sql, values);
    return done ? Result<void>() : Result<void>(failure(done.error()));
}

Result<std::string> Connection::copy_out(const std::string& sql) {
    auto lines = session_.copy_out(sql);
    if (!lines) {
        return failure(lines.error());
    }
    return Result<std::string>(boost::system::in_place_value, *std::move(lines));
}

Result<void> Connection::copy_in(const std::string& sql, std::string_view lines) {
    const auto done = session_.copy_in(sql, lines);
    return done ? Result<void>() : Result<void>(failure(done.error()));
}

}  // namespace pgveil::migration
