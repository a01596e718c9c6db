#include "keyshare/store/sealed_store.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/core/xaes.hpp"

namespace pgveil::store {
namespace {

constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS sealed_row ("
    " tab TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, sealed BLOB NOT NULL,"
    " PRIMARY KEY (tab, key)) WITHOUT ROWID";

const RowName& root_name() {
    static const RowName kName{"root", ""};
    return kName;
}

core::Bytes place_of(const RowName& name, std::uint64_t version) {
    return core::length_prefixed(
        {core::as_bytes("pgveil/1 row"),
         core::as_bytes(name.table),
         core::as_bytes(name.key),
         core::big_endian64(version)}
    );
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

Error broken(const std::string& what) {
    return Error{
        ErrorCode::kBroken,
        "the share store " + what +
            ": it was altered, partly put back from an older copy, or belongs to another "
            "store key; restore the last whole backup of store and key"};
}

}  // namespace

core::Bytes RowSeal::seal(
    const RowName& name, std::uint64_t version, core::ByteView body, core::RandomSource& random
) const {
    return core::xaes_seal(key_.reveal(), place_of(name, version), body, random);
}

Result<core::SecretBytes> RowSeal::open(const RowName& name, const SealedRow& row) const {
    auto opened = core::xaes_open(key_.reveal(), place_of(name, row.version), row.sealed);
    if (!opened.has_value()) {
        return broken("holds a row that does not open (" + name.table + ")");
    }
    return *std::move(opened);
}

Result<SealedStore> SealedStore::open(
    const std::filesystem::path& path, std::shared_ptr<const RowSeal> seal, bool create
) {
    auto database = Database::open(path, create);
    if (!database.has_value()) {
        return database.error();
    }
    const auto made = database->run(kSchema);
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
        return versions_.empty() ? Result<void>() : broken("has lost its root row");
    }
    const auto body = seal_->open(root_name(), *root);
    if (!body.has_value()) {
        return body.error();
    }
    if (!core::equal_in_constant_time(body->reveal(), hash_of(versions_, version_))) {
        return broken("lacks rows, or holds rows of another version");
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
        return broken("has no row " + name.table + " where one must be");
    }
    SealedRow sealed{static_cast<std::uint64_t>(row->number(0)), core::to_bytes(row->blob(1))};
    if (sealed.version != known->second) {
        return broken("holds a row of another version (" + name.table + ")");
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
    const RowName& name, std::uint64_t version, core::ByteView body, core::RandomSource& random
) {
    auto statement = database_.prepare(
        "INSERT OR REPLACE INTO sealed_row (tab, key, version, sealed) VALUES (?, ?, ?, ?)"
    );
    if (!statement.has_value()) {
        return statement.error();
    }
    const core::Bytes sealed = seal_->seal(name, version, body, random);
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
    const std::vector<Change>& changes, const Versions& next, core::RandomSource& random
) {
    const std::uint64_t version = version_ + 1;
    for (const Change& change : changes) {
        const auto done = change.body
                              ? write_row(change.name, version, change.body->reveal(), random)
                              : delete_row(change.name);
        if (!done.has_value()) {
            return done;
        }
    }
    return write_row(root_name(), version, hash_of(next, version), random);
}

Result<void> SealedStore::commit(std::vector<Change> changes, core::RandomSource& random) {
    Versions next = versions_;
    for (const Change& change : changes) {
        if (change.body) {
            next[change.name] = version_ + 1;
        } else {
            next.erase(change.name);
        }
    }
    auto done = database_.run("BEGIN IMMEDIATE");
    if (!done.has_value()) {
        return done;
    }
    done = write_all(changes, next, random);
    if (done.has_value()) {
        done = database_.run("COMMIT");
    }
    if (!done.has_value()) {
        static_cast<void>(database_.run("ROLLBACK"));
        return done;
    }
    versions_ = std::move(next);
    ++version_;
    return {};
}

void SealedStore::forget_old_copies() {
    static_cast<void>(database_.run("PRAGMA wal_checkpoint(TRUNCATE)"));
}

}  // namespace pgveil::store
