#pragma once

#include "keyshare/seal/seal.hpp"

#include <filesystem>

namespace pgveil::seal {

/// The `file` seal: 32 raw bytes in a regular file that belongs to this user and that nobody else
/// may read (0600 or 0400). It protects a copied store, not a stolen machine. Refuses a missing
/// file, wider modes, another owner, another size, links and devices; the message says what to do.
///
/// A renewal keeps its successor in FILE.next, so the folder must be writable. The former key's
/// bytes are overwritten in place; what a copy-on-write file system or the disk itself keeps of
/// them is out of reach.
class FileSeal : public Seal {
public:
    explicit FileSeal(std::filesystem::path path) : path_(std::move(path)) {}

    /// Makes the file (mode 0600, synced to disk).
    Result<void> create_if_missing(core::RandomSource& random) override;

    /// Makes the file with this key. An error if there is one already.
    Result<void> keep(const StoreKey& key) const;

    Result<StoreKey> current() const override;
    Result<std::optional<StoreKey>> successor() const override;
    Result<StoreKey> begin_renewal(core::RandomSource& random) override;
    Result<void> begin_return(const StoreKey& key) override;
    Result<void> finish_renewal() override;
    Result<void> abandon_renewal() override;

private:
    std::filesystem::path next_path() const { return path_.string() + ".next"; }

    std::filesystem::path path_;
};

}  // namespace pgveil::seal
