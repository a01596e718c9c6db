#include "keyshare/store/postgresql_rows.hpp"

#include <algorithm>

namespace pgveil::store {
namespace {

using Texts = std::vector<std::string>;

constexpr std::string_view kReadOnly = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

constexpr std::string_view kSharedTables =
    "DO $pgveil$ BEGIN "
    "CREATE SCHEMA IF NOT EXISTS pgveil_store; "
    "CREATE TABLE IF NOT EXISTS pgveil_store.sealed_row_1 (tab text NOT NULL, key bytea NOT NULL, "
    "version int8 NOT NULL, sealed bytea NOT NULL, PRIMARY KEY (tab, key)); "
    "CREATE TABLE IF NOT EXISTS pgveil_store.token_claim_1 (nonce text PRIMARY KEY, "
    "expires int8 NOT NULL, sealed bytea NOT NULL); "
    "CREATE TABLE IF NOT EXISTS pgveil_store.key_step_1 (former text PRIMARY KEY, "
    "random bytea NOT NULL); END $pgveil$";

std::string hex(const std::string& text) {
    return core::to_hex(core::as_bytes(text));
}

Result<void> only_done(const Result<Answer>& answer) {
    return answer.has_value() ? Result<void>() : answer.error();
}

std::optional<std::uint64_t> known_version(const std::map<RowName, SealedRow>& rows) {
    const auto root = rows.find(root_row());
    return root == rows.end() ? std::nullopt : std::optional(root->second.version);
}

template <class Rows>
void take_rows(const Answer& answer, Rows& rows) {
    for (int at = 0; at < answer.rows(); ++at) {
        const core::Bytes key = answer.bytes(at, 1);
        rows[{answer.text(at, 0), std::string(core::as_text(key))}] =
            SealedRow{static_cast<std::uint64_t>(answer.number(at, 2)), answer.bytes(at, 3)};
    }
}

// The last word about each row: one statement may not write a row twice.
std::map<RowName, const RowWrite*> last_words(const RowCommit& commit) {
    std::map<RowName, const RowWrite*> last;
    for (const RowWrite& row : commit.rows) {
        last[row.name] = &row;
    }
    return last;
}

Result<void> write_rows(Connection& connection, const RowCommit& commit) {
    Texts tables;
    Texts keys;
    Texts sealed;
    Texts gone_tables;
    Texts gone_keys;
    for (const auto& [name, row] : last_words(commit)) {
        if (row->sealed) {
            tables.push_back(name.table);
            keys.push_back(hex(name.key));
            sealed.push_back(core::to_hex(*row->sealed));
        } else {
            gone_tables.push_back(name.table);
            gone_keys.push_back(hex(name.key));
        }
    }
    auto written = only_done(connection.run(
        "INSERT INTO pgveil_store.sealed_row_1 (tab, key, version, sealed) "
        "SELECT t, decode(k, 'hex'), $4::int8, decode(s, 'hex') "
        "FROM unnest($1::text[], $2::text[], $3::text[]) AS r (t, k, s) "
        "ON CONFLICT (tab, key) DO UPDATE SET version = EXCLUDED.version, "
        "sealed = EXCLUDED.sealed",
        {array_of(tables), array_of(keys), array_of(sealed), std::to_string(commit.version)}
    ));
    if (!written.has_value() || gone_keys.empty()) {
        return written;
    }
    return only_done(connection.run(
        "DELETE FROM pgveil_store.sealed_row_1 USING unnest($1::text[], $2::text[]) AS r (t, k) "
        "WHERE tab = t AND key = decode(k, 'hex')",
        {array_of(gone_tables), array_of(gone_keys)}
    ));
}

// One writer at a time; whoever reads is not held up.
Result<void> take_turn(Connection& connection, const RowCommit& commit) {
    const auto locked = connection.run("LOCK TABLE pgveil_store.sealed_row_1 IN EXCLUSIVE MODE");
    if (!locked.has_value()) {
        return locked.error();
    }
    const auto found =
        connection.run("SELECT version FROM pgveil_store.sealed_row_1 WHERE tab = 'root'");
    if (!found.has_value()) {
        return found.error();
    }
    const std::int64_t present = found->rows() == 0 ? 0 : found->number(0, 0);
    const bool fits = commit.fills_empty ? found->rows() == 0
                                         : present + 1 == static_cast<std::int64_t>(commit.version);
    if (!fits) {
        return Error{
            ErrorCode::kSuperseded,
            "another proxy has written to the share store at the same time: try again"};
    }
    return {};
}

Result<void> write_claims(Connection& connection, const std::vector<SealedClaim>& claims) {
    Texts nonces;
    Texts ends;
    Texts sealed;
    for (const SealedClaim& claim : claims) {
        nonces.push_back(claim.key);
        ends.push_back(std::to_string(claim.expires_s));
        sealed.push_back(core::to_hex(claim.sealed));
    }
    return only_done(connection.run(
        "INSERT INTO pgveil_store.token_claim_1 (nonce, expires, sealed) "
        "SELECT n, e::int8, decode(s, 'hex') "
        "FROM unnest($1::text[], $2::text[], $3::text[]) AS r (n, e, s) "
        "ON CONFLICT (nonce) DO UPDATE SET expires = EXCLUDED.expires, sealed = EXCLUDED.sealed",
        {array_of(nonces), array_of(ends), array_of(sealed)}
    ));
}

Result<void> write_commit(Connection& connection, const RowCommit& commit) {
    auto done = take_turn(connection, commit);
    if (done.has_value()) {
        done = write_rows(connection, commit);
    }
    if (done.has_value() && !commit.claims.empty()) {
        done = write_claims(connection, commit.claims);
    }
    if (done.has_value() && commit.step) {
        done = only_done(connection.run(
            "INSERT INTO pgveil_store.key_step_1 (former, random) VALUES ($1, decode($2, 'hex'))",
            {commit.step->former, core::to_hex(commit.step->random)}
        ));
    }
    if (done.has_value()) {
        done = only_done(connection.run(
            "SELECT pg_notify($1, $2)", {kStoreChannel, std::to_string(commit.version)}
        ));
    }
    return done;
}

}  // namespace

Result<std::unique_ptr<RowStore>> PostgresqlRows::open(const PostgresqlPlace& place, bool create) {
    std::unique_ptr<PostgresqlRows> rows(new PostgresqlRows(place));
    if (create) {
        const auto made = rows->ask(kSharedTables, {});
        if (!made.has_value()) {
            return made.error();
        }
    }
    const auto found = rows->ask("SELECT to_regclass('pgveil_store.sealed_row_1') IS NOT NULL", {});
    if (!found.has_value()) {
        return found.error();
    }
    if (found->text(0, 0) != "t") {
        return Error{
            ErrorCode::kUnavailable,
            "there is no share store of this version in database " + place.database +
                ": order the proxy first (pgveil order), or correct \"store\""};
    }
    return std::unique_ptr<RowStore>(std::move(rows));
}

Result<Answer> PostgresqlRows::ask(std::string_view sql, const std::vector<std::string>& parameters)
    const {
    std::optional<Answer> answer;
    const auto done = pool_.with([&](Connection& connection) -> Result<void> {
        auto asked = connection.run(sql, parameters);
        if (!asked.has_value()) {
            return asked.error();
        }
        answer.emplace(*std::move(asked));
        return {};
    });
    return done.has_value() ? Result<Answer>(*std::move(answer)) : done.error();
}

/// Brings `rows` to what the store holds now. Only what was written since is sent, unless rows were
/// deleted, or the store is not the one that was seen.
Result<void> PostgresqlRows::fetch(Connection& connection, Rows& rows) {
    const std::uint64_t known = known_version(rows).value_or(0);
    const auto newer = connection.run(
        "SELECT tab, encode(key, 'hex'), version, encode(sealed, 'hex') "
        "FROM pgveil_store.sealed_row_1 WHERE version > $1::int8 OR tab = 'root'",
        {std::to_string(known)}
    );
    if (!newer.has_value()) {
        return newer.error();
    }
    take_rows(*newer, rows);
    const auto count = connection.run("SELECT count(*) FROM pgveil_store.sealed_row_1");
    if (!count.has_value()) {
        return count.error();
    }
    const bool is_newer = known_version(rows).value_or(0) >= known;
    if (is_newer && count->number(0, 0) == static_cast<std::int64_t>(rows.size())) {
        return {};
    }
    const auto all = connection.run(
        "SELECT tab, encode(key, 'hex'), version, encode(sealed, 'hex') "
        "FROM pgveil_store.sealed_row_1"
    );
    if (!all.has_value()) {
        return all.error();
    }
    rows.clear();
    take_rows(*all, rows);
    return {};
}

Result<Listing> PostgresqlRows::list() {
    Rows rows;
    const auto fetched = pool_.with([&](Connection& connection) {
        rows = rows_;
        return connection.in_transaction(kReadOnly, [&](Connection& inside) {
            return fetch(inside, rows);
        });
    });
    if (!fetched.has_value()) {
        return fetched.error();
    }
    rows_ = std::move(rows);
    Listing listing;
    for (const auto& [name, row] : rows_) {
        if (name == root_row()) {
            listing.root = row;
        } else {
            listing.versions.emplace(name, row.version);
        }
    }
    return listing;
}

Result<std::optional<SealedRow>> PostgresqlRows::read(const RowName& name) const {
    const auto found = rows_.find(name);
    return found == rows_.end() ? std::optional<SealedRow>() : std::optional(found->second);
}

Result<void> PostgresqlRows::commit(const RowCommit& commit) {
    auto done = pool_.with([&](Connection& connection) {
        return connection.in_transaction("BEGIN", [&](Connection& inside) {
            return write_commit(inside, commit);
        });
    });
    if (!done.has_value()) {
        return done;
    }
    for (const auto& [name, row] : last_words(commit)) {
        if (row->sealed) {
            rows_[name] = SealedRow{commit.version, *row->sealed};
        } else {
            rows_.erase(name);
        }
    }
    return {};
}

Result<std::optional<KeyStep>> PostgresqlRows::find_step(const std::string& former) const {
    const auto found =
        ask("SELECT encode(random, 'hex') FROM pgveil_store.key_step_1 WHERE former = $1",
            {former});
    if (!found.has_value()) {
        return found.error();
    }
    return found->rows() == 0 ? std::optional<KeyStep>()
                              : std::optional(KeyStep{former, found->bytes(0, 0)});
}

Result<std::optional<core::Bytes>> PostgresqlRows::claim(const SealedClaim& claim) {
    // Who loses the race waits for the winner's commit, and finds the row in its own statement
    // only if it looks again.
    const auto added =
        ask("INSERT INTO pgveil_store.token_claim_1 (nonce, expires, sealed) "
            "VALUES ($1, $2::int8, decode($3, 'hex')) ON CONFLICT (nonce) DO NOTHING",
            {claim.key, std::to_string(claim.expires_s), core::to_hex(claim.sealed)});
    if (!added.has_value()) {
        return added.error();
    }
    if (added->touched() > 0) {
        return std::optional<core::Bytes>();
    }
    auto standing = find_claim(claim.key);
    if (standing.has_value() && !standing->has_value()) {
        return Error{ErrorCode::kUnavailable, "a claim of the token vanished: try again"};
    }
    return standing;
}

Result<std::optional<core::Bytes>> PostgresqlRows::find_claim(const std::string& key) {
    const auto found =
        ask("SELECT encode(sealed, 'hex') FROM pgveil_store.token_claim_1 WHERE nonce = $1", {key});
    if (!found.has_value()) {
        return found.error();
    }
    return found->rows() == 0 ? std::optional<core::Bytes>() : std::optional(found->bytes(0, 0));
}

Result<bool> PostgresqlRows::replace_claim(const SealedClaim& fresh, core::ByteView former) {
    const auto done =
        ask("UPDATE pgveil_store.token_claim_1 SET sealed = decode($2, 'hex') "
            "WHERE nonce = $1 AND sealed = decode($3, 'hex')",
            {fresh.key, core::to_hex(fresh.sealed), core::to_hex(former)});
    return done.has_value() ? Result<bool>(done->touched() > 0) : done.error();
}

Result<std::vector<SealedClaim>> PostgresqlRows::claims() {
    const auto rows =
        ask("SELECT nonce, expires, encode(sealed, 'hex') FROM pgveil_store.token_claim_1", {});
    if (!rows.has_value()) {
        return rows.error();
    }
    std::vector<SealedClaim> claims;
    for (int at = 0; at < rows->rows(); ++at) {
        claims.push_back({rows->text(at, 0), rows->number(at, 1), rows->bytes(at, 2)});
    }
    return claims;
}

Result<void> PostgresqlRows::forget_claims(std::int64_t now_s) {
    return only_done(ask(
        "DELETE FROM pgveil_store.token_claim_1 WHERE expires <= $1::int8", {std::to_string(now_s)}
    ));
}

Result<void> PostgresqlRows::copy_to(const std::filesystem::path& /*path*/) const {
    return Error{
        ErrorCode::kUnavailable,
        "the share store lies in PostgreSQL: back it up with pg_dump, schema pgveil_store, and the "
        "seal's key file apart from it"};
}

}  // namespace pgveil::store
