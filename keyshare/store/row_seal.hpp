#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/seal/seal.hpp"
#include "keyshare/store/error.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

namespace pgveil::store {

/// Names one row. `table` is a word of the custody ("user", "part", ...), `key` says which one.
/// Both lie in clear.
struct RowName {
    std::string table;
    std::string key;

    auto operator<=>(const RowName&) const = default;
};

/// The row that vouches for all others.
const RowName& root_row();

/// A row as it lies in the store.
struct SealedRow {
    std::uint64_t version = 0;  ///< the store version that wrote it
    core::Bytes sealed;
};

/// What to say of a store that was tampered with: "the share store WHAT: ...".
Error broken_store(const std::string& what);

/// Opens and seals rows: nonce(24) || XAES-256-GCM(store key, body, AAD = LP("pgveil/1 row", table,
/// key, version)). Immutable: any thread.
class RowSeal {
public:
    explicit RowSeal(seal::StoreKey key) : key_(std::move(key)) {}

    core::Bytes seal(
        const RowName& name, std::uint64_t version, core::ByteView body, core::RandomSource& random
    ) const;
    /// kBroken when the row was altered, moved, or sealed under another store key.
    Result<core::SecretBytes> open(const RowName& name, const SealedRow& row) const;

    const seal::StoreKey& key() const { return key_; }

private:
    seal::StoreKey key_;
};

}  // namespace pgveil::store
