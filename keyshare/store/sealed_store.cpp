#include "keyshare/store/sealed_store.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/core/lp.hpp"

namespace pgveil::store {
namespace {

constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS sealed_row ("
    " tab TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, sealed BLOB NOT NULL,"
    " PRIMARY KEY (tab, key)) WITHOUT ROWID;";

const RowName& root_name() {
    static const RowName kName{"root", ""};
    return kName;
}

// PRAGMA user_version of the file. 0: written before formats were numbered, the same as 1.
constexpr std::int64_t kFormat = 1;

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
    if (found > kFormat) {
        return Error{
            ErrorCode::kUnavailable,
            "the share store has format " + std::to_string(found) +
                ", and this pgveil knows formats up to " + std::to_string(kFormat) +
                ": run the version that wrote it, or restore a backup of before"};
    }
    return found == kFormat ? Result<void>() : database.run("PRAGMA user_version = 1");
}

// What the root row vouches for: version, and every row's name with the version that wrote it, in
// order.
core::Sha256Digest hash_of(
    const std::map<RowName, std::uint64_t>& versions, std::uint64_t version
) {
    core::Bytes all =
        core::length_prefixed({core::as_bytes("pgveil/1 root"), core::big_endian64(version)});
    for (const auto& [name, row_version] : versions) {
        core::append(
            all,
            core::length_prefixed(
                {core::as_bytes(name.table),
                 core::as_bytes(name.key),
                 core::big_endian64(row_version)}
            )
        );
    }
    return core::sha256(all);
}

}  // namespace

Result<SealedStore> SealedStore::open(
    const std::filesystem::path& path, std::shared_ptr<const RowSeal> seal, bool create
) {
    auto database = Database::open(path, create);
    if (!database.has_value()) {
        return database.error();
    }
    const auto settled = settle_format(*database);
    if (!settled.has_value()) {
        return settled.error();
    }
    const auto made = database->run((std::string(kSchema) + ClaimTable::kSchema).c_str());
    if (!made.has_value()) {
        return made.error();
    }
    SealedStore store(*std::move(database), std::move(seal));
    const auto loaded = store.load();
    if (!loaded.has_value()) {
        return loaded.error();
    }
    return store;
}

Result<void> SealedStore::load() {
    auto rows = database_.prepare("SELECT tab, key, version, sealed FROM sealed_row");
    if (!rows.has_value()) {
        return rows.error();
    }
    std::optional<SealedRow> root;
    for (;;) {
        const auto more = rows->step();
        if (!more.has_value()) {
            return more.error();
        }
        if (!*more) {
            break;
        }
        RowName name{rows->text(0), rows->text(1)};
        const auto version = static_cast<std::uint64_t>(rows->number(2));
        if (name == root_name()) {
            root = SealedRow{version, core::to_bytes(rows->blob(3))};
            version_ = version;
        } else {
            versions_.emplace(std::move(name), version);
        }
    }
    return check_root(root);
}

Result<void> SealedStore::check_root(const std::optional<SealedRow>& root) const {
    if (!root) {
        return versions_.empty() ? Result<void>() : broken_store("has lost its root row");
    }
    const auto body = seal_->open(root_name(), *root);
    if (!body.has_value()) {
        return body.error();
    }
    if (!core::equal_in_constant_time(body->reveal(), hash_of(versions_, version_))) {
        return broken_store("lacks rows, or holds rows of another version");
    }
    return {};
}

std::vector<std::string> SealedStore::keys(std::string_view table) const {
    std::vector<std::string> found;
    const RowName first{std::string(table), ""};
    for (auto at = versions_.lower_bound(first); at != versions_.end(); ++at) {
        if (at->first.table != table) {
            break;
        }
        found.push_back(at->first.key);
    }
    return found;
}

Result<SealedRow> SealedStore::read_sealed(const RowName& name) const {
    auto row =
        database_.prepare("SELECT version, sealed FROM sealed_row WHERE tab = ? AND key = ?");
    if (!row.has_value()) {
        return row.error();
    }
    const auto found = row->bind(name.table).bind(name.key).step();
    if (!found.has_value()) {
        return found.error();
    }
    const auto known = versions_.find(name);
    if (!*found || known == versions_.end()) {
        return broken_store("has no row " + name.table + " where one must be");
    }
    SealedRow sealed{static_cast<std::uint64_t>(row->number(0)), core::to_bytes(row->blob(1))};
    if (sealed.version != known->second) {
        return broken_store("holds a row of another version (" + name.table + ")");
    }
    return sealed;
}

Result<core::SecretBytes> SealedStore::read(const RowName& name) const {
    const auto sealed = read_sealed(name);
    if (!sealed.has_value()) {
        return sealed.error();
    }
    return seal_->open(name, *sealed);
}

Result<void> SealedStore::write_row(
    const RowSeal& seal, const RowName& name, core::ByteView body, core::RandomSource& random
) {
    auto statement = database_.prepare(
        "INSERT OR REPLACE INTO sealed_row (tab, key, version, sealed) VALUES (?, ?, ?, ?)"
    );
    if (!statement.has_value()) {
        return statement.error();
    }
    const std::uint64_t version = version_ + 1;
    const core::Bytes sealed = seal.seal(name, version, body, random);
    const auto done = statement->bind(name.table)
                          .bind(name.key)
                          .bind(static_cast<std::int64_t>(version))
                          .bind(core::ByteView(sealed))
                          .step();
    return done.has_value() ? Result<void>() : done.error();
}

Result<void> SealedStore::delete_row(const RowName& name) {
    auto statement = database_.prepare("DELETE FROM sealed_row WHERE tab = ? AND key = ?");
    if (!statement.has_value()) {
        return statement.error();
    }
    const auto done = statement->bind(name.table).bind(name.key).step();
    return done.has_value() ? Result<void>() : done.error();
}

Result<void> SealedStore::write_all(
    const RowSeal& seal,
    const std::vector<Change>& changes,
    const Versions& next,
    core::RandomSource& random
) {
    for (const Change& change : changes) {
        const auto done = change.body ? write_row(seal, change.name, change.body->reveal(), random)
                                      : delete_row(change.name);
        if (!done.has_value()) {
            return done;
        }
    }
    return write_row(seal, root_name(), hash_of(next, version_ + 1), random);
}

Result<void> SealedStore::reseal_rows(const RowSeal& fresh, core::RandomSource& random) {
    for (const auto& [name, version] : versions_) {
        const auto body = read(name);
        if (!body.has_value()) {
            return body.error();
        }
        const auto done = write_row(fresh, name, body->reveal(), random);
        if (!done.has_value()) {
            return done;
        }
    }
    return claims().reseal(fresh, random);
}

void SealedStore::apply(const std::vector<Change>& changes, std::uint64_t version, Versions& next) {
    for (const Change& change : changes) {
        if (change.body) {
            next[change.name] = version;
        } else {
            next.erase(change.name);
        }
    }
}

template <class Write>
Result<void> SealedStore::in_transaction(Write write) {
    auto done = database_.run("BEGIN IMMEDIATE");
    if (!done.has_value()) {
        return done;
    }
    done = write();
    if (done.has_value()) {
        done = database_.run("COMMIT");
    }
    if (!done.has_value()) {
        static_cast<void>(database_.run("ROLLBACK"));
    }
    return done;
}

Result<void> SealedStore::commit(std::vector<Change> changes, core::RandomSource& random) {
    Versions next = versions_;
    apply(changes, version_ + 1, next);
    const auto done = in_transaction([&] { return write_all(*seal_, changes, next, random); });
    if (done.has_value()) {
        versions_ = std::move(next);
        ++version_;
    }
    return done;
}

Result<void> SealedStore::reseal(
    std::shared_ptr<const RowSeal> fresh, std::vector<Change> changes, core::RandomSource& random
) {
    Versions next = versions_;
    for (auto& [name, version] : next) {
        version = version_ + 1;
    }
    apply(changes, version_ + 1, next);
    const auto done = in_transaction([&]() -> Result<void> {
        auto resealed = reseal_rows(*fresh, random);
        return resealed.has_value() ? write_all(*fresh, changes, next, random) : resealed;
    });
    if (done.has_value()) {
        versions_ = std::move(next);
        ++version_;
        seal_ = std::move(fresh);
    }
    return done;
}

void SealedStore::forget_old_copies() {
    static_cast<void>(database_.run("PRAGMA wal_checkpoint(TRUNCATE)"));
}

}  // namespace pgveil::store
