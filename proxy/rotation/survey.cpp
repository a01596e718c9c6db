#include "proxy/rotation/survey.hpp"

#include "proxy/rotation/bundles.hpp"

namespace pgveil::rotation {

Result<std::int64_t> Survey::left_in(const std::string& url, const std::string& name) const {
    auto database = Connection::open(url, "database " + name, name);
    if (!database) {
        return migration::unusable(
            database.error().message +
            "; values under the former key may stand in it: --direct has to be a login that may "
            "look into every database of the server"
        );
    }
    const auto ready = database->run("SET row_security = off; SET statement_timeout = 0");
    if (!ready) {
        return ready.error();
    }
    const auto standing = values(*database, name);
    const auto coming = standing ? columns(*database, name) : standing;
    return coming ? Result<std::int64_t>(*standing + *coming) : coming;
}

Result<std::int64_t> Survey::values(Connection& database, const std::string& name) const {
    const auto found = remainders(database, policy_, keys_.former);
    if (!found) {
        return found.error();
    }
    std::int64_t left = 0;
    for (const Remainder& one : *found) {
        left += one.count;
        progress_.say(
            "database " + name + ": " + std::to_string(one.count) + " under the former key in " +
            one.what
        );
    }
    return left;
}

Result<std::int64_t> Survey::columns(Connection& database, const std::string& name) const {
    const auto tables = stored_tables(database, policy_);
    if (!tables) {
        return tables.error();
    }
    std::int64_t left = 0;
    for (const StoredTable& table : *tables) {
        for (const StoredColumn& column : table.columns) {
            if (keys_.next == 0 || !is_to_change(table, column, group_, keys_.next)) {
                continue;
            }
            ++left;
            progress_.say(
                "database " + name + ": new values of the searchable column " + table.name.schema +
                "." + table.name.name + "." + column.name +
                " still come under the former key: `pgveil rotate-data --plan` says what is in the "
                "way"
            );
        }
    }
    return left;
}

}  // namespace pgveil::rotation
