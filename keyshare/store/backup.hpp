#pragma once

#include "keyshare/seal/file_seal.hpp"
#include "keyshare/store/error.hpp"
#include "keyshare/store/store_place.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

// Copies of the share store, and their way back. A copy of the store and the key that opens it are
// two files for two places: together they are the proxy's share. Not while a proxy has the store
// open.
namespace pgveil::store {

/// The two files of a backup.
struct BackupFiles {
    std::filesystem::path store;  ///< an SQLite file without write-ahead log
    std::filesystem::path key;    ///< 32 bytes, mode 0600 or 0400
};

/// What a store says of itself.
struct StoreFacts {
    std::string tenant;
    std::string identity;  ///< fingerprint of the proxy's identity key (share::fingerprint_text)
    std::uint64_t version = 0;
    std::uint64_t last_sequence = 0;  ///< of the tenant's commands that were carried out
};

/// Copies the store by SQLite's backup interface (https://www.sqlite.org/backup.html) and the key
/// in force. Neither file may exist; both are made with mode 0600 and synced. kUnavailable if a
/// proxy has the store open.
Result<StoreFacts> back_up(
    const std::filesystem::path& store, seal::Seal& seal, const BackupFiles& into
);

/// A backup on its way into the place of a store. Begin, look at facts(), finish; without finish()
/// nothing has happened but a draft, which the destructor removes.
class Restoration {
public:
    /// Copies the backup beside `store` and opens the copy: kBroken if key and store do not belong
    /// together or something is missing, kUnavailable if a proxy has `store` open. The backup
    /// itself is only read.
    static Result<Restoration> begin(const std::filesystem::path& store, const BackupFiles& from);
    Restoration(const Restoration&) = delete;
    Restoration& operator=(const Restoration&) = delete;
    Restoration(Restoration&& other) noexcept;
    Restoration& operator=(Restoration&&) = delete;
    ~Restoration();

    const StoreFacts& facts() const { return facts_; }

    /// Puts the copy into the store's place and its key into the seal. After a kill in the middle
    /// either the former store opens, or the restored one, or this can be done again. When the
    /// restored store is opened, its key is renewed, so that the backup's opens the backup only.
    Result<void> finish(seal::Seal& seal);

private:
    Restoration(std::filesystem::path store, seal::StoreKey key);
    Result<void> make_draft(const std::filesystem::path& from);
    Result<void> check_draft();
    void remove_draft() const noexcept;

    std::filesystem::path store_;
    std::filesystem::path draft_;
    seal::StoreKey key_;
    StoreFacts facts_;
};

/// The facts of the store as it lies there. kUnavailable if a proxy has its file open; one in
/// PostgreSQL may be in use, and is held against the high-water mark.
Result<StoreFacts> examine_store(const StorePlace& place, seal::Seal& seal);

/// From now on this machine takes a store in PostgreSQL as it is, however old.
Result<void> forget_mark(const PostgresqlPlace& place);

}  // namespace pgveil::store
