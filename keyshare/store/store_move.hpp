#pragma once

#include "keyshare/seal/seal.hpp"
#include "keyshare/store/error.hpp"
#include "keyshare/store/store_place.hpp"

#include <cstdint>
#include <string>

namespace pgveil::store {

/// What became of a store that moves.
struct StoreMove {
    std::string tenant;
    std::uint64_t version = 0;  ///< of the new store
    bool was_done = false;      ///< an earlier run had ended with the same
};

/// Moves a share store from SQLite into PostgreSQL, or back; no proxy may run on it. Versions go
/// on, so that an older copy is noticed as before; the key stays, and is renewed when the new store
/// is first opened to serve, so that the old one and its copies open with no key that is kept.
///
/// The old store is marked first, and serves nobody from then on; then the new one is filled in one
/// transaction. After a kill in the middle this has to be done again, and goes on.
/// kUnavailable if a proxy has the old one's file open, kRefused if the new one holds anything
/// else.
/// @param seal of both stores
Result<StoreMove> move_store(
    const StorePlace& from, const StorePlace& to, const std::string& tenant, seal::Seal& seal
);

}  // namespace pgveil::store
