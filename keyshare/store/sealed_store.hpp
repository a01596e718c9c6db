#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/seal/seal.hpp"
#include "keyshare/store/claim_table.hpp"
#include "keyshare/store/error.hpp"
#include "keyshare/store/row_seal.hpp"
#include "keyshare/store/sqlite.hpp"

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

/// Sealed rows in one SQLite file (WAL, full sync, secure_delete). A root row, sealed like the
/// others, names the store version and a hash over the names and versions of all rows, so that a
/// single row that is missing, added, altered or put back from an older copy is found when the
/// store is opened. A whole older file is not found here (CRYPTO.md section 5). Not thread-safe;
/// one process at a time.
class SealedStore {
public:
    /// `create`: an empty store is made if there is none. kUnavailable if there is none (or it is
    /// in use), kBroken if it does not fit the key or was tampered with.
    static Result<SealedStore> open(
        const std::filesystem::path& path, std::shared_ptr<const RowSeal> seal, bool create
    );

    /// Rises by one with every commit; 0 is an empty store.
    std::uint64_t version() const { return version_; }

    /// The keys of all rows of a table, in order.
    std::vector<std::string> keys(std::string_view table) const;

    bool contains(const RowName& name) const { return versions_.contains(name); }

    /// kBroken: no such row, or it is not the version the root row vouches for.
    Result<SealedRow> read_sealed(const RowName& name) const;
    Result<core::SecretBytes> read(const RowName& name) const;
    /// All or nothing, on disk when it returns. On an error nothing has changed.
    Result<void> commit(std::vector<Change> changes, core::RandomSource& random);
    /// Writes every row and claim anew under another seal, together with `changes`, as one
    /// transaction; from then on that seal counts. On an error nothing has changed.
    Result<void> reseal(
        std::shared_ptr<const RowSeal> fresh,
        std::vector<Change> changes,
        core::RandomSource& random
    );

    /// A copy of the whole store as it is now, sealed as it is; one file (Database::copy_to).
    Result<void> copy_to(const std::filesystem::path& path) const {
        return database_.copy_to(path);
    }

    const std::shared_ptr<const RowSeal>& row_seal() const { return seal_; }

    /// First uses of tokens; not vouched for by the root row and not part of the version.
    ClaimTable claims() const { return ClaimTable(database_, *seal_); }

    /// Empties the write-ahead log, where older (sealed) copies of rows lie. Call after something
    /// was deleted that must not come back. Best effort: what the disk itself keeps is out of
    /// reach.
    void forget_old_copies();

private:
    using Versions = std::map<RowName, std::uint64_t>;

    SealedStore(Database database, std::shared_ptr<const RowSeal> seal)
        : database_(std::move(database)), seal_(std::move(seal)) {}

    Result<void> load();
    Result<void> check_root(const std::optional<SealedRow>& root) const;
    Result<void> write_all(
        const RowSeal& seal,
        const std::vector<Change>& changes,
        const Versions& next,
        core::RandomSource& random
    );
    template <class Write>
    Result<void> in_transaction(Write write);
    static void apply(const std::vector<Change>& changes, std::uint64_t version, Versions& next);
    Result<void> write_row(
        const RowSeal& seal, const RowName& name, core::ByteView body, core::RandomSource& random
    );
    Result<void> reseal_rows(const RowSeal& fresh, core::RandomSource& random);
    Result<void> delete_row(const RowName& name);

    Database database_;
    std::shared_ptr<const RowSeal> seal_;
    Versions versions_;  // of all rows but the root
    std::uint64_t version_ = 0;
};

}  // namespace pgveil::store
