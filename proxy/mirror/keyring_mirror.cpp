#include "proxy/mirror/keyring_mirror.hpp"

#include "sql/schema/keyring_mirror.hpp"
#include "sql/schema/schema.hpp"

#include <charconv>

namespace pgveil::mirror {

namespace {

constexpr std::size_t kMirrorColumns = 4;

Result<void> run_all(Database& database, const std::vector<std::string>& statements) {
    for (const std::string& statement : statements) {
        const auto ran = database.run(statement);
        if (!ran.has_value()) {
            return ran.error();
        }
    }
    return {};
}

template <class Number>
Number number(std::string_view text) {
    Number value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;  // the signed row beside it says the same, or it is refused
}

Result<std::vector<share::MirrorRow>> read_rows(Database& database) {
    const auto rows = database.run(schema::read_keyring());
    if (!rows.has_value()) {
        return rows.error();
    }
    std::vector<share::MirrorRow> mirror;
    for (const auto& cells : *rows) {
        if (cells.size() != kMirrorColumns) {
            return Error{"pgveil.keyring in the home database has another shape than expected"};
        }
        share::MirrorRow row;
        row.group = cells[0];
        row.key_id = number<std::uint32_t>(cells[1]);
        row.version = number<std::uint64_t>(cells[2]);
        row.row = cells[3];
        mirror.push_back(std::move(row));
    }
    return mirror;
}

Result<void> write_rows(Database& database, const std::vector<share::MirrorRow>& rows) {
    auto done = run_all(database, {"BEGIN", std::string(schema::clear_keyring())});
    if (!done.has_value()) {
        return done;
    }
    for (const share::MirrorRow& row : rows) {
        const auto written = database.run(
            schema::write_keyring_row(),
            {row.group, std::to_string(row.key_id), std::to_string(row.version), row.row}
        );
        if (!written.has_value()) {
            return written.error();
        }
    }
    return run_all(database, {"COMMIT"});
}

/// Reads the mirror and hands it to the custody; what must be replaced is replaced, once, and
/// `objection` says why.
Result<bool> settle(Database& database, store::ProxyCustody& custody, std::string& objection) {
    const auto rows = read_rows(database);
    if (!rows.has_value()) {
        return rows.error();
    }
    const auto verdict = custody.check_zero_from_database(*rows);
    if (!verdict.has_value()) {
        return Error{verdict.error().message};
    }
    if (verdict->accepted) {
        return true;
    }
    if (!rows->empty()) {
        objection = verdict->reason;
    }
    const auto written = write_rows(database, verdict->rewrite);
    if (!written.has_value()) {
        return written.error();
    }
    return false;
}

}  // namespace

namespace {

Result<std::string> process_of(Database& database) {
    const auto rows = database.run("SELECT pg_catalog.pg_backend_pid()");
    if (!rows.has_value()) {
        return rows.error();
    }
    return Result<std::string>(
        boost::system::in_place_value, rows->empty() ? std::string() : rows->front().front()
    );
}

/// Whether two sessions that are open at one time keep a server process each. The second is asked
/// twice: where a pool hands its connections round, it has another one then.
Result<bool> keep_their_processes(Database& first, Database& second) {
    std::vector<std::string> seen;
    for (Database* const asked : {&first, &second, &second, &first}) {
        const auto process = process_of(*asked);
        if (!process.has_value()) {
            return process.error();
        }
        seen.push_back(*process);
    }
    return seen[0] == seen[3] && seen[1] == seen[2] && seen[0] != seen[1];
}

/// Behind a pooler that changes the server connection with each transaction, what pgveil keeps at
/// the server for one client (shares, the verified user) would count for another.
Result<void> check_pooler(const config::Settings& settings, Database& first) {
    const auto process = process_of(first);
    if (!process.has_value()) {
        return process.error();
    }
    if (*process == first.process_at_login()) {
        return {};  // the server itself
    }
    auto second = Database::connect(settings);
    if (!second.has_value()) {
        return second.error();
    }
    const auto kept = keep_their_processes(first, *second);
    if (!kept.has_value()) {
        return kept.error();
    }
    if (!*kept) {
        return Error{
            "a connection pooler in transaction mode stands between pgveil and the database "
            "server, "
            "and would mix up its sessions: connect pgveil to the server itself, or set the pooler "
            "to session mode (pool_mode = session in pgbouncer)"};
    }
    return {};
}

}  // namespace

Result<void> check_home(const config::Settings& settings) {
    auto database = Database::connect(settings);
    if (!database.has_value()) {
        return database.error();
    }
    const auto found =
        database->run("SELECT 1 FROM pg_catalog.pg_database WHERE datname = 'pgveil'");
    if (!found.has_value()) {
        return found.error();
    }
    if (!found->empty()) {
        return Error{
            "the server has a database named \"pgveil\"; that name is the proxy's own (bootstrap "
            "and console): rename the database"};
    }
    return check_pooler(settings, *database);
}

Result<std::string> publish_keyring(
    const config::Settings& settings, store::ProxyCustody& custody
) {
    auto database = Database::connect(settings);
    if (!database.has_value()) {
        return database.error();
    }
    const auto prepared =
        run_all(*database, {schema::setup_block(), std::string(schema::create_keyring())});
    if (!prepared.has_value()) {
        return prepared.error();
    }
    std::string objection;
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto settled = settle(*database, custody, objection);
        if (!settled.has_value()) {
            return settled.error();
        }
        if (*settled) {
            return Result<std::string>(boost::system::in_place_value, std::move(objection));
        }
    }
    return Error{
        "pgveil.keyring in the home database does not keep what the proxy writes: look for a "
        "trigger or rule on it"};
}

}  // namespace pgveil::mirror
