#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/seal/error.hpp"

#include <filesystem>

namespace pgveil::seal {

/// The key every row of the share store is sealed under.
using StoreKey = core::Secret<struct StoreKeyRole>;

/// The `file` seal: 32 raw bytes in a regular file that belongs to this user and that nobody else
/// may read (0600 or 0400). It protects a copied store, not a stolen machine. Refuses a missing
/// file, wider modes, another owner, another size, links and devices; the message says what to do.
Result<StoreKey> read_store_key(const std::filesystem::path& path);

/// Makes the file (mode 0600, synced to disk) with a fresh key; if it is there already, reads it.
/// Only the order step calls this: a proxy that has lost its key must not quietly make another.
Result<StoreKey> read_or_create_store_key(
    const std::filesystem::path& path, core::RandomSource& random
);

}  // namespace pgveil::seal
