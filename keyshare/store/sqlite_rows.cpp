#include "keyshare/store/sqlite_rows.hpp"

#include <algorithm>

namespace pgveil::store {
namespace {

constexpr const char* kFileTables =
    "CREATE TABLE IF NOT EXISTS sealed_row ("
    " tab TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, sealed BLOB NOT NULL,"
    " PRIMARY KEY (tab, key)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS token_claim ("
    " nonce TEXT NOT NULL PRIMARY KEY, expires INTEGER NOT NULL, sealed BLOB NOT NULL)"
    " WITHOUT ROWID;";

// PRAGMA user_version of the file. 0: written before formats were numbered, the same as 1.
constexpr std::int64_t kFileFormat = 1;

Result<void> settle_format(const Database& database) {
    auto asked = database.prepare("PRAGMA user_version");
    if (!asked.has_value()) {
        return asked.error();
    }
    const auto answered = asked->step();
    if (!answered.has_value()) {
        return answered.error();
    }
    const std::int64_t found = asked->number(0);
    if (found > kFileFormat) {
        return Error{
            ErrorCode::kUnavailable,
            "the share store has format " + std::to_string(found) +
                ", and this pgveil knows formats up to " + std::to_string(kFileFormat) +
                ": run the version that wrote it, or restore a backup of before"};
    }
    return found == kFileFormat ? Result<void>() : database.run("PRAGMA user_version = 1");
}

// A statement without rows.
Result<void> carry_out(Statement& statement) {
    const auto done = statement.step();
    return done.has_value() ? Result<void>() : done.error();
}

}  // namespace

Result<std::unique_ptr<RowStore>> SqliteRows::open(const std::filesystem::path& path, bool create) {
    auto database = Database::open(path, create);
    if (!database.has_value()) {
        return database.error();
    }
    const auto settled = settle_format(*database);
    if (!settled.has_value()) {
        return settled.error();
    }
    const auto made = database->run(kFileTables);
    if (!made.has_value()) {
        return made.error();
    }
    return std::unique_ptr<RowStore>(new SqliteRows(*std::move(database)));
}

Result<Listing> SqliteRows::list() {
    auto rows = database_.prepare("SELECT tab, key, version, sealed FROM sealed_row");
    if (!rows.has_value()) {
        return rows.error();
    }
    Listing listing;
    for (;;) {
        const auto more = rows->step();
        if (!more.has_value()) {
            return more.error();
        }
        if (!*more) {
            return listing;
        }
        RowName name{rows->text(0), rows->text(1)};
        const auto version = static_cast<std::uint64_t>(rows->number(2));
        if (name == root_row()) {
            listing.root = SealedRow{version, core::to_bytes(rows->blob(3))};
        } else {
            listing.versions.emplace(std::move(name), version);
        }
    }
}

Result<std::optional<SealedRow>> SqliteRows::read(const RowName& name) const {
    auto row =
        database_.prepare("SELECT version, sealed FROM sealed_row WHERE tab = ? AND key = ?");
    if (!row.has_value()) {
        return row.error();
    }
    const auto found = row->bind(name.table).bind(name.key).step();
    if (!found.has_value()) {
        return found.error();
    }
    if (!*found) {
        return std::optional<SealedRow>();
    }
    return std::optional(SealedRow{
        static_cast<std::uint64_t>(row->number(0)), core::to_bytes(row->blob(1))});
}

Result<void> SqliteRows::write_row(const RowWrite& row, std::uint64_t version) {
    auto statement = database_.prepare(
        row.sealed
            ? "INSERT OR REPLACE INTO sealed_row (tab, key, version, sealed) VALUES (?, ?, ?, ?)"
            : "DELETE FROM sealed_row WHERE tab = ? AND key = ?"
    );
    if (!statement.has_value()) {
        return statement.error();
    }
    statement->bind(row.name.table).bind(row.name.key);
    if (row.sealed) {
        statement->bind(static_cast<std::int64_t>(version)).bind(core::ByteView(*row.sealed));
    }
    return carry_out(*statement);
}

Result<void> SqliteRows::put_claim(const SealedClaim& claim) {
    auto statement = database_.prepare(
        "INSERT OR REPLACE INTO token_claim (nonce, expires, sealed) VALUES (?, ?, ?)"
    );
    if (!statement.has_value()) {
        return statement.error();
    }
    statement->bind(claim.key).bind(claim.expires_s).bind(core::ByteView(claim.sealed));
    return carry_out(*statement);
}

Result<void> SqliteRows::write(const RowCommit& commit) {
    for (const RowWrite& row : commit.rows) {
        const auto done = write_row(row, commit.version);
        if (!done.has_value()) {
            return done;
        }
    }
    for (const SealedClaim& claim : commit.claims) {
        const auto done = put_claim(claim);
        if (!done.has_value()) {
            return done;
        }
    }
    return {};
}

Result<void> SqliteRows::commit(const RowCommit& commit) {
    return database_.in_transaction([&] { return write(commit); });
}

Result<std::optional<KeyStep>> SqliteRows::find_step(const std::string& /*former*/) const {
    return std::optional<KeyStep>();
}

Result<std::optional<core::Bytes>> SqliteRows::claim(const SealedClaim& claim) {
    const auto hasty = database_.run("PRAGMA synchronous = NORMAL");
    if (!hasty.has_value()) {
        return hasty.error();
    }
    const auto done = put_claim(claim);
    const auto careful = database_.run("PRAGMA synchronous = FULL");
    if (!done.has_value() || !careful.has_value()) {
        return done.has_value() ? careful.error() : done.error();
    }
    return std::optional<core::Bytes>();
}

Result<std::optional<core::Bytes>> SqliteRows::find_claim(const std::string& key) {
    auto row = database_.prepare("SELECT sealed FROM token_claim WHERE nonce = ?");
    if (!row.has_value()) {
        return row.error();
    }
    const auto found = row->bind(key).step();
    if (!found.has_value()) {
        return found.error();
    }
    return *found ? std::optional(core::to_bytes(row->blob(0))) : std::nullopt;
}

Result<bool> SqliteRows::replace_claim(const SealedClaim& fresh, core::ByteView former) {
    const auto present = find_claim(fresh.key);
    if (!present.has_value()) {
        return present.error();
    }
    if (!*present || !std::ranges::equal(**present, former)) {
        return false;
    }
    const auto put = put_claim(fresh);
    return put.has_value() ? Result<bool>(true) : put.error();
}

Result<std::vector<SealedClaim>> SqliteRows::claims() {
    auto rows = database_.prepare("SELECT nonce, expires, sealed FROM token_claim");
    if (!rows.has_value()) {
        return rows.error();
    }
    std::vector<SealedClaim> claims;
    for (;;) {
        const auto more = rows->step();
        if (!more.has_value()) {
            return more.error();
        }
        if (!*more) {
            return claims;
        }
        claims.push_back({rows->text(0), rows->number(1), core::to_bytes(rows->blob(2))});
    }
}

Result<void> SqliteRows::forget_claims(std::int64_t now_s) {
    auto statement = database_.prepare("DELETE FROM token_claim WHERE expires <= ?");
    if (!statement.has_value()) {
        return statement.error();
    }
    statement->bind(now_s);
    return carry_out(*statement);
}

void SqliteRows::forget_old_copies() {
    static_cast<void>(database_.run("PRAGMA wal_checkpoint(TRUNCATE)"));
}

Result<void> SqliteRows::copy_to(const std::filesystem::path& path) const {
    return database_.copy_to(path);
}

}  // namespace pgveil::store
