#include "proxy/mirror/version_note.hpp"

#include "sql/schema/schema.hpp"
#include "sql/schema/store_version.hpp"

#include <charconv>
#include <string_view>

namespace pgveil::mirror {

namespace {

constexpr std::size_t kColumns = 2;

/// A connection to the home database, in which the table exists.
Result<Database> open_notes(const config::Settings& settings) {
    auto database = Database::connect(settings);
    if (!database.has_value()) {
        return database;
    }
    for (const std::string& statement :
         {schema::setup_block(), std::string(schema::create_store_version())}) {
        const auto made = database->run(statement);
        if (!made.has_value()) {
            return made.error();
        }
    }
    return database;
}

Result<void> run(
    const config::Settings& settings,
    std::string_view sql,
    const std::vector<std::string>& parameters
) {
    auto database = open_notes(settings);
    if (!database.has_value()) {
        return database.error();
    }
    const auto done = database->run(sql, parameters);
    return done.has_value() ? Result<void>() : done.error();
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    return read.ec == std::errc() ? std::optional(value) : std::nullopt;
}

}  // namespace

Result<std::optional<VersionNote>> read_note(
    const config::Settings& settings, const std::string& identity
) {
    auto database = open_notes(settings);
    if (!database.has_value()) {
        return database.error();
    }
    const auto rows = database->run(schema::read_store_version(), {identity});
    if (!rows.has_value()) {
        return rows.error();
    }
    if (rows->empty()) {
        return std::optional<VersionNote>();
    }
    const auto& cells = rows->front();
    const auto version = cells.size() == kColumns ? number(cells[0]) : std::nullopt;
    const auto sequence = cells.size() == kColumns ? number(cells[1]) : std::nullopt;
    if (!version || !sequence) {
        return Error{"pgveil.store_version in the home database holds no numbers: delete the row"};
    }
    return std::optional<VersionNote>(VersionNote{*version, *sequence});
}

Result<void> write_note(
    const config::Settings& settings, const std::string& identity, const VersionNote& note
) {
    return run(
        settings,
        schema::write_store_version(),
        {identity, std::to_string(note.store_version), std::to_string(note.last_sequence)}
    );
}

Result<void> forget_note(const config::Settings& settings, const std::string& identity) {
    return run(settings, schema::forget_store_version(), {identity});
}

}  // namespace pgveil::mirror
