#pragma once

#include "keyshare/store/row_store.hpp"
#include "keyshare/store/sqlite.hpp"

#include <memory>
#include <utility>

namespace pgveil::store {

/// Rows in one SQLite file (WAL, full sync, secure_delete), of one process at a time.
class SqliteRows final : public RowStore {
public:
    /// `create`: the file is made if there is none. kUnavailable if there is none, if it is in
    /// use, or if its format is newer than this program.
    static Result<std::unique_ptr<RowStore>> open(const std::filesystem::path& path, bool create);

    bool is_shared() const override { return false; }

    Result<Listing> list() override;
    Result<std::optional<SealedRow>> read(const RowName& name) const override;
    Result<void> commit(const RowCommit& commit) override;
    Result<std::optional<KeyStep>> find_step(const std::string& former) const override;
    Result<std::optional<core::Bytes>> claim(const SealedClaim& claim) override;
    Result<std::optional<core::Bytes>> find_claim(const std::string& key) override;
    Result<bool> replace_claim(const SealedClaim& fresh, core::ByteView former) override;
    Result<std::vector<SealedClaim>> claims() override;
    Result<void> forget_claims(std::int64_t now_s) override;
    void forget_old_copies() override;
    Result<void> copy_to(const std::filesystem::path& path) const override;

private:
    explicit SqliteRows(Database database) : database_(std::move(database)) {}

    Result<void> write(const RowCommit& commit);
    Result<void> write_row(const RowWrite& row, std::uint64_t version);
    Result<void> put_claim(const SealedClaim& claim);

    Database database_;
};

}  // namespace pgveil::store
