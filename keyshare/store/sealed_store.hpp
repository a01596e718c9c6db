#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/seal/seal.hpp"
#include "keyshare/store/claim_table.hpp"
#include "keyshare/store/error.hpp"
#include "keyshare/store/row_seal.hpp"
#include "keyshare/store/row_store.hpp"

#include <compare>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgveil::store {

/// One change of a transaction.
struct Change {
    RowName name;
    std::optional<core::SecretBytes> body;  ///< nothing: the row is deleted
};

/// Sealed rows, wherever they lie. A root row, sealed like the others, names the store version and
/// a hash over the names and versions of all rows, so that a single row that is missing, added,
/// altered or put back from an older copy is found when the store is opened or caught up with. A
/// whole older store is found by catch_up() only, if this object has seen the newer one (CRYPTO.md
/// section 5; high_water_mark.hpp). Not thread-safe, but for claims() of a shared store.
class SealedStore {
public:
    /// `create`: an empty store is made if there is none. kUnavailable if there is none (or it is
    /// in use), kBroken if it does not fit the key or was tampered with.
    static Result<SealedStore> open(
        const std::filesystem::path& path, std::shared_ptr<const RowSeal> seal, bool create
    );
    /// The same of rows that lie elsewhere; kBroken, too, if they are of an older version than
    /// `least`. A key that other proxies have renewed since is followed to its successor: ask
    /// row_seal().
    static Result<SealedStore> open(
        std::unique_ptr<RowStore> rows, std::shared_ptr<const RowSeal> seal, std::uint64_t least = 0
    );

    /// Rises by one with every commit; 0 is an empty store.
    std::uint64_t version() const { return version_; }

    /// Other proxies write to it, too.
    bool is_shared() const { return rows_->is_shared(); }

    /// Takes over what others have written. True: there was something. kBroken if the store is
    /// older than it was, or does not fit together; then this object stays as it was.
    Result<bool> catch_up();

    /// The keys of all rows of a table, in order.
    std::vector<std::string> keys(std::string_view table) const;

    bool contains(const RowName& name) const { return versions_.contains(name); }

    /// kBroken: no such row, or it is not the version the root row vouches for.
    Result<SealedRow> read_sealed(const RowName& name) const;
    Result<core::SecretBytes> read(const RowName& name) const;
    /// All or nothing, on disk when it returns. On an error nothing has changed; kSuperseded if
    /// another proxy has written before (catch_up()). Where the connection to a shared store was
    /// lost, only catch_up() tells.
    Result<void> commit(std::vector<Change> changes, core::RandomSource& random);
    /// Writes every row and claim anew under another seal, together with `changes`, as one
    /// transaction; from then on that seal counts. `step`: how others come to its key. Errors as
    /// commit().
    Result<void> reseal(
        std::shared_ptr<const RowSeal> fresh,
        std::vector<Change> changes,
        core::RandomSource& random,
        std::optional<KeyStep> step = std::nullopt
    );

    /// Writes all rows and claims into an empty store of rows elsewhere, under the same key, at the
    /// next version, together with `changes`, as one transaction: versions go on there. This store
    /// stays as it is. `claim_seal`: of the claims there; null: the same as of the rows. Errors as
    /// commit(); kSuperseded: it is not empty.
    Result<void> copy_rows_to(
        RowStore& target,
        const RowSeal* claim_seal,
        const std::vector<Change>& changes,
        core::RandomSource& random
    ) const;

    /// A copy of the whole store as it is now, sealed as it is; one file (Database::copy_to).
    Result<void> copy_to(const std::filesystem::path& path) const { return rows_->copy_to(path); }

    const std::shared_ptr<const RowSeal>& row_seal() const { return seal_; }

    /// First uses of tokens; not vouched for by the root row and not part of the version.
    ClaimTable claims() const { return ClaimTable(*rows_, claim_seal_ ? *claim_seal_ : *seal_); }

    /// From now on claims are sealed under a key of their own, which stays when the rows are sealed
    /// anew.
    void seal_claims_apart(std::shared_ptr<const RowSeal> seal) { claim_seal_ = std::move(seal); }

    /// Removes what the store itself keeps of older (sealed) copies of rows. Call after something
    /// was deleted that must not come back. Best effort: what the disk itself keeps is out of
    /// reach.
    void forget_old_copies() { rows_->forget_old_copies(); }

private:
    using Versions = std::map<RowName, std::uint64_t>;

    SealedStore(std::unique_ptr<RowStore> rows, std::shared_ptr<const RowSeal> seal)
        : rows_(std::move(rows)), seal_(std::move(seal)) {}

    Result<void> take_over(Listing listing);
    Result<std::shared_ptr<const RowSeal>> check_root(const Listing& listing) const;
    Result<std::shared_ptr<const RowSeal>> next_seal(const RowSeal& seal) const;
    Result<void> write(
        const RowSeal& seal,
        const std::vector<Change>& changes,
        RowCommit commit,
        Versions next,
        core::RandomSource& random
    );
    static void apply(const std::vector<Change>& changes, std::uint64_t version, Versions& next);
    Result<void> reseal_rows(const RowSeal& fresh, RowCommit& commit, core::RandomSource& random)
        const;
    Result<void> reseal_claims(const RowSeal& fresh, RowCommit& commit, core::RandomSource& random)
        const;
    static core::Bytes complete(
        const RowSeal& seal,
        const std::vector<Change>& changes,
        RowCommit& commit,
        const Versions& next,
        core::RandomSource& random
    );

    std::unique_ptr<RowStore> rows_;
    std::shared_ptr<const RowSeal> seal_;
    std::shared_ptr<const RowSeal> claim_seal_;  // null: the same as of the rows
    Versions versions_;                          // of all rows but the root
    std::uint64_t version_ = 0;
    core::Bytes root_;  // as it lies there
};

}  // namespace pgveil::store
