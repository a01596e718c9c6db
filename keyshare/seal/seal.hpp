#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/seal/error.hpp"

#include <optional>

namespace pgveil::seal {

/// The key every row of the share store is sealed under.
using StoreKey = core::Secret<struct StoreKeyRole>;

/// What keeps the store key at rest, and lets it be replaced without a moment in which neither the
/// old nor the new key opens the store:
///
///     begin_renewal()      a successor lies beside the key in force
///     (the store commits itself sealed under the successor)
///     finish_renewal()     the successor is the key in force, the former one is destroyed
///
/// After a kill between any two of these the store says by opening which of the two it is sealed
/// under. Not thread-safe: one writer.
class Seal {
public:
    Seal() = default;
    virtual ~Seal() = default;
    Seal(const Seal&) = delete;
    Seal& operator=(const Seal&) = delete;

    /// Makes and keeps a fresh key if there is none. Only the order step calls this: a proxy that
    /// has lost its key must not quietly make another.
    virtual Result<void> create_if_missing(core::RandomSource& random) = 0;
    /// The key in force.
    virtual Result<StoreKey> current() const = 0;
    /// The key of a renewal that was begun and neither finished nor abandoned; nothing if none.
    virtual Result<std::optional<StoreKey>> successor() const = 0;
    /// Makes a fresh successor and keeps it durably; one that is there already is replaced.
    virtual Result<StoreKey> begin_renewal(core::RandomSource& random) = 0;
    /// As begin_renewal, with a key that was made or kept elsewhere (a backup, another proxy on the
    /// store): finish_renewal puts it in force.
    virtual Result<void> begin_return(const StoreKey& key) = 0;
    /// Durable when it returns. There must be a successor.
    virtual Result<void> finish_renewal() = 0;
    /// Destroys the successor.
    virtual Result<void> abandon_renewal() = 0;
};

}  // namespace pgveil::seal
