#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/store/error.hpp"
#include "keyshare/store/row_seal.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::store {

/// Which version of the store wrote each row, the root row left out, and that row itself.
struct Listing {
    std::map<RowName, std::uint64_t> versions;
    std::optional<SealedRow> root;
};

/// A row to be written; without bytes it is deleted.
struct RowWrite {
    RowName name;
    std::optional<core::Bytes> sealed;
};

/// A sealed claim of a token, and when it may be forgotten (Unix seconds).
struct SealedClaim {
    std::string key;
    std::int64_t expires_s = 0;
    core::Bytes sealed;
};

/// How the holders of a store key come to its successor (key_step.hpp).
struct KeyStep {
    std::string former;  ///< key_name() of the key that is replaced
    core::Bytes random;
};

/// What one commit makes of the store: all of it, or nothing.
struct RowCommit {
    std::uint64_t version = 0;  ///< that it makes: one more than the store has
    std::vector<RowWrite> rows;
    std::vector<SealedClaim> claims;  ///< sealed anew, or moved here
    std::optional<KeyStep> step;
    bool fills_empty = false;  ///< the store must have no rows, and takes the version as it is
};

/// Where sealed rows lie. It is trusted for nothing: what it gives is opened and checked by
/// SealedStore. It sees names, versions and ciphertext, and no key.
///
/// One thread at a time; where is_shared(), the functions about claims may be called from any
/// thread.
class RowStore {
public:
    RowStore() = default;
    virtual ~RowStore() = default;
    RowStore(const RowStore&) = delete;
    RowStore& operator=(const RowStore&) = delete;

    /// Other processes write to it, too.
    virtual bool is_shared() const = 0;

    /// All rows as they are at one moment. read() answers of that moment, or of a later commit().
    virtual Result<Listing> list() = 0;
    /// Nothing: there is no such row.
    virtual Result<std::optional<SealedRow>> read(const RowName& name) const = 0;
    /// Durable when it returns. kSuperseded if the store is not at the version before; then, and on
    /// any error but a lost connection, nothing has changed. After a lost connection list() tells.
    virtual Result<void> commit(const RowCommit& commit) = 0;
    /// The step that leads away from this key, if another process has taken one.
    virtual Result<std::optional<KeyStep>> find_step(const std::string& former) const = 0;

    /// Writes a claim if there is none of that key; else gives what stands there. It survives the
    /// end of the process, not of the machine.
    virtual Result<std::optional<core::Bytes>> claim(const SealedClaim& claim) = 0;
    /// Nothing: there is none.
    virtual Result<std::optional<core::Bytes>> find_claim(const std::string& key) = 0;
    /// Puts `fresh` in the place of exactly `former`. False: something else stands there. Durable
    /// when it returns.
    virtual Result<bool> replace_claim(const SealedClaim& fresh, core::ByteView former) = 0;
    virtual Result<std::vector<SealedClaim>> claims() = 0;
    virtual Result<void> forget_claims(std::int64_t now_s) = 0;

    /// Best effort: removes older copies of rows that the store itself keeps.
    virtual void forget_old_copies() = 0;
    /// A copy of the whole store in one new file.
    virtual Result<void> copy_to(const std::filesystem::path& path) const = 0;
};

}  // namespace pgveil::store
