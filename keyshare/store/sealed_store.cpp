#include "keyshare/store/sealed_store.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/store/key_step.hpp"
#include "keyshare/store/sqlite_rows.hpp"

namespace pgveil::store {
namespace {

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

std::uint64_t version_in(const Listing& listing) {
    return listing.root ? listing.root->version : 0;
}

Error put_back(std::uint64_t found, std::uint64_t seen) {
    return Error{
        ErrorCode::kBroken,
        "the share store was put back to an older state: it is at version " +
            std::to_string(found) + ", and this proxy has seen version " + std::to_string(seen) +
            ". Nothing is served from it: bring the newer store back. If it is lost, stop all "
            "proxies, put the seal's key of that time back, and accept this store with `pgveil "
            "restore --accept-older`, on each machine"};
}

}  // namespace

Result<SealedStore> SealedStore::open(
    const std::filesystem::path& path, std::shared_ptr<const RowSeal> seal, bool create
) {
    auto rows = SqliteRows::open(path, create);
    return rows.has_value() ? open(*std::move(rows), std::move(seal)) : rows.error();
}

Result<SealedStore> SealedStore::open(
    std::unique_ptr<RowStore> rows, std::shared_ptr<const RowSeal> seal, std::uint64_t least
) {
    SealedStore store(std::move(rows), std::move(seal));
    auto listing = store.rows_->list();
    if (!listing.has_value()) {
        return listing.error();
    }
    if (version_in(*listing) < least) {
        return put_back(version_in(*listing), least);
    }
    const auto taken = store.take_over(*std::move(listing));
    if (!taken.has_value()) {
        return taken.error();
    }
    return store;
}

Result<void> SealedStore::take_over(Listing listing) {
    auto seal = check_root(listing);
    if (!seal.has_value()) {
        return seal.error();
    }
    seal_ = *std::move(seal);
    versions_ = std::move(listing.versions);
    version_ = version_in(listing);
    root_ = listing.root ? std::move(listing.root->sealed) : core::Bytes();
    return {};
}

/// The seal under which the root row opens, if it vouches for the rows.
Result<std::shared_ptr<const RowSeal>> SealedStore::check_root(const Listing& listing) const {
    if (!listing.root) {
        return listing.versions.empty()
                   ? Result<std::shared_ptr<const RowSeal>>(seal_)
                   : Result<std::shared_ptr<const RowSeal>>(broken_store("has lost its root row"));
    }
    std::shared_ptr<const RowSeal> seal = seal_;
    auto body = seal->open(root_row(), *listing.root);
    while (!body.has_value()) {
        auto next = next_seal(*seal);
        if (!next.has_value() || *next == nullptr) {
            return next.has_value() ? body.error() : next.error();
        }
        seal = *std::move(next);
        body = seal->open(root_row(), *listing.root);
    }
    if (!core::equal_in_constant_time(
            body->reveal(), hash_of(listing.versions, listing.root->version)
        )) {
        return broken_store("lacks rows, or holds rows of another version");
    }
    return seal;
}

/// Of the key that follows; null if none does.
Result<std::shared_ptr<const RowSeal>> SealedStore::next_seal(const RowSeal& seal) const {
    const auto step = rows_->find_step(key_name(seal.key()));
    if (!step.has_value()) {
        return step.error();
    }
    return *step ? std::make_shared<const RowSeal>(next_key(seal.key(), (*step)->random))
                 : std::shared_ptr<const RowSeal>();
}

Result<bool> SealedStore::catch_up() {
    auto listing = rows_->list();
    if (!listing.has_value()) {
        return listing.error();
    }
    const std::uint64_t found = version_in(*listing);
    if (found < version_) {
        return put_back(found, version_);
    }
    if (found == version_) {
        const bool is_same = !listing->root || listing->root->sealed == root_;
        return is_same ? Result<bool>(false)
                       : Result<bool>(broken_store("has another content under the same version"));
    }
    const auto taken = take_over(*std::move(listing));
    return taken.has_value() ? Result<bool>(true) : taken.error();
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
    auto row = rows_->read(name);
    if (!row.has_value()) {
        return row.error();
    }
    const auto known = versions_.find(name);
    if (!*row || known == versions_.end()) {
        return broken_store("has no row " + name.table + " where one must be");
    }
    if ((*row)->version != known->second) {
        return broken_store("holds a row of another version (" + name.table + ")");
    }
    return **std::move(row);
}

Result<core::SecretBytes> SealedStore::read(const RowName& name) const {
    const auto sealed = read_sealed(name);
    if (!sealed.has_value()) {
        return sealed.error();
    }
    return seal_->open(name, *sealed);
}

Result<void> SealedStore::reseal_rows(
    const RowSeal& fresh, RowCommit& commit, core::RandomSource& random
) const {
    for (const auto& [name, version] : versions_) {
        const auto body = read(name);
        if (!body.has_value()) {
            return body.error();
        }
        commit.rows.push_back({name, fresh.seal(name, commit.version, body->reveal(), random)});
    }
    return {};
}

Result<void> SealedStore::reseal_claims(
    const RowSeal& fresh, RowCommit& commit, core::RandomSource& random
) const {
    auto claims = this->claims().sealed_under(fresh, random);
    if (!claims.has_value()) {
        return claims.error();
    }
    commit.claims = *std::move(claims);
    return {};
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

/// Puts the changes and the root row on top of it, which is returned.
core::Bytes SealedStore::complete(
    const RowSeal& seal,
    const std::vector<Change>& changes,
    RowCommit& commit,
    const Versions& next,
    core::RandomSource& random
) {
    for (const Change& change : changes) {
        RowWrite row{change.name, std::nullopt};
        if (change.body) {
            row.sealed = seal.seal(change.name, commit.version, change.body->reveal(), random);
        }
        commit.rows.push_back(std::move(row));
    }
    core::Bytes root = seal.seal(root_row(), commit.version, hash_of(next, commit.version), random);
    commit.rows.push_back({root_row(), root});
    return root;
}

Result<void> SealedStore::write(
    const RowSeal& seal,
    const std::vector<Change>& changes,
    RowCommit commit,
    Versions next,
    core::RandomSource& random
) {
    core::Bytes root = complete(seal, changes, commit, next, random);
    auto done = rows_->commit(commit);
    if (done.has_value()) {
        versions_ = std::move(next);
        version_ = commit.version;
        root_ = std::move(root);
    }
    return done;
}

Result<void> SealedStore::commit(std::vector<Change> changes, core::RandomSource& random) {
    RowCommit commit;
    commit.version = version_ + 1;
    Versions next = versions_;
    apply(changes, commit.version, next);
    return write(*seal_, changes, std::move(commit), std::move(next), random);
}

Result<void> SealedStore::reseal(
    std::shared_ptr<const RowSeal> fresh,
    std::vector<Change> changes,
    core::RandomSource& random,
    std::optional<KeyStep> step
) {
    RowCommit commit;
    commit.version = version_ + 1;
    commit.step = std::move(step);
    Versions next = versions_;
    for (auto& [name, version] : next) {
        version = commit.version;
    }
    apply(changes, commit.version, next);
    auto done = reseal_rows(*fresh, commit, random);
    if (done.has_value() && !claim_seal_) {
        done = reseal_claims(*fresh, commit, random);
    }
    if (done.has_value()) {
        done = write(*fresh, changes, std::move(commit), std::move(next), random);
    }
    if (done.has_value()) {
        seal_ = std::move(fresh);
    }
    return done;
}

Result<void> SealedStore::copy_rows_to(
    RowStore& target,
    const RowSeal* claim_seal,
    const std::vector<Change>& changes,
    core::RandomSource& random
) const {
    RowCommit commit;
    commit.version = version_ + 1;
    commit.fills_empty = true;
    Versions next = versions_;
    for (auto& [name, version] : next) {
        version = commit.version;
    }
    apply(changes, commit.version, next);
    auto done = reseal_rows(*seal_, commit, random);
    if (done.has_value()) {
        done = reseal_claims(claim_seal == nullptr ? *seal_ : *claim_seal, commit, random);
    }
    if (!done.has_value()) {
        return done;
    }
    complete(*seal_, changes, commit, next, random);
    return target.commit(commit);
}

}  // namespace pgveil::store
