#pragma once

#include "keyshare/store/postgresql.hpp"
#include "keyshare/store/row_store.hpp"

#include <map>
#include <memory>
#include <utility>

namespace pgveil::store {

/// The channel on which every commit is told (NOTIFY).
inline constexpr const char* kStoreChannel = "pgveil_store";

/// Rows in schema pgveil_store of a PostgreSQL, for several proxies. All sealed rows are kept in
/// memory as they were at the last list(), so that reading one asks nobody.
class PostgresqlRows final : public RowStore {
public:
    /// `create`: schema and tables are made where they are missing. kUnavailable if they are, if
    /// the server cannot be reached, or if the tables are of a newer format.
    static Result<std::unique_ptr<RowStore>> open(const PostgresqlPlace& place, bool create);

    bool is_shared() const override { return true; }

    Result<Listing> list() override;
    Result<std::optional<SealedRow>> read(const RowName& name) const override;
    Result<void> commit(const RowCommit& commit) override;
    Result<std::optional<KeyStep>> find_step(const std::string& former) const override;
    Result<std::optional<core::Bytes>> claim(const SealedClaim& claim) override;
    Result<std::optional<core::Bytes>> find_claim(const std::string& key) override;
    Result<bool> replace_claim(const SealedClaim& fresh, core::ByteView former) override;
    Result<std::vector<SealedClaim>> claims() override;
    Result<void> forget_claims(std::int64_t now_s) override;

    /// The server's own files hold older copies for a while; they are sealed under keys that are
    /// gone.
    void forget_old_copies() override {}

    Result<void> copy_to(const std::filesystem::path& path) const override;

private:
    using Rows = std::map<RowName, SealedRow>;

    explicit PostgresqlRows(const PostgresqlPlace& place) : pool_(place) {}

    static Result<void> fetch(Connection& connection, Rows& rows);
    Result<Answer> ask(std::string_view sql, const std::vector<std::string>& parameters) const;

    mutable ConnectionPool pool_;
    Rows rows_;
};

}  // namespace pgveil::store
