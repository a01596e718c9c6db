#include "keyshare/store/postgresql.hpp"

#include "keyshare/postgres/password_file.hpp"

#include <algorithm>

namespace pgveil::store {
namespace {

constexpr const char* kWhatToDo =
    "; pgveil serves nothing without it: start its server, or correct \"store\" in the settings";

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

Error failure(const std::string& name, const std::string& why) {
    return Error{ErrorCode::kUnavailable, "the share store " + name + " cannot be used: " + why};
}

}  // namespace

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

Result<Connection> Connection::open(const PostgresqlPlace& place) {
    const auto password = postgres::read_password(place.password_file);
    if (!password.has_value()) {
        return Error{
            ErrorCode::kUnavailable,
            "store.password_file " + place.password_file +
                " cannot be read or is empty: put the password of store.user on its first line"};
    }
    const std::string host = joined(place.servers, [](const auto& server) { return server.host; });
    const std::string port =
        joined(place.servers, [](const auto& server) { return std::to_string(server.port); });
    const std::string timeout = seconds(place.timeout_ms);
    const std::string silence = std::to_string(place.timeout_ms);
    const std::string name = host + ":" + port + "/" + place.database;
    const bool uses_tls = !place.ca.empty();
    auto session = postgres::Session::connect(
        {{"host", host.c_str()},
         {"port", port.c_str()},
         {"target_session_attrs", "read-write"},
         {"dbname", place.database.c_str()},
         {"user", place.user.c_str()},
         {"password", core::as_text(password->reveal()).data()},
         {"sslmode", uses_tls ? "verify-full" : "disable"},
         {"sslrootcert", uses_tls ? place.ca.c_str() : nullptr},
         {"connect_timeout", timeout.c_str()},
         {"tcp_user_timeout", silence.c_str()},
         {"application_name", "pgveil store"},
         {"client_encoding", "UTF8"},
         {"gssencmode", "disable"}}
    );
    if (!session) {
        return failure(name, session.error().line() + kWhatToDo);
    }
    Connection connection(*std::move(session), name, std::chrono::milliseconds(place.timeout_ms));
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
    return !is_given_up_ && session_.is_open() && session_.is_idle();
}

Result<Answer> Connection::run(std::string_view sql, const std::vector<std::string>& parameters) {
    auto answer = session_.run(std::string(sql), postgres::parameters_of(parameters), timeout_);
    if (!answer) {
        return failure(name_, answer.error().line());
    }
    return *std::move(answer);
}

void Connection::roll_back() noexcept {
    try {
        is_given_up_ = is_given_up_ || !run("ROLLBACK").has_value();
    } catch (...) {
        is_given_up_ = true;
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
    const auto waited = session_.wait(timeout, wake);
    return waited ? Result<void>() : failure(name_, waited.error().line());
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
