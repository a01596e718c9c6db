#pragma once

#include "keyshare/core/p256.hpp"
#include "keyshare/custodian/records.hpp"
#include "keyshare/custodian/refusal.hpp"
#include "keyshare/share/chained_line.hpp"
#include "keyshare/store/sealed_store.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pgveil::custodian {

/// What one custodian keeps, in one sealed SQLite file of this process alone: its identity key,
/// member keys of runs, the runs, and the groups with their shares. Live shares lie in secret
/// memory, too. One thread.
class CustodianStore {
public:
    using Changes = std::vector<store::Change>;

    /// Opens or makes the store. A message for a person: no such file, in use, another key.
    static store::Result<CustodianStore> open(
        const std::string& store_file, const std::string& seal_file
    );

    const core::SigningKey& identity() const { return *identity_; }

    /// Nothing: there is no such row. kBroken as SealedStore::read().
    store::Result<std::optional<MemberRecord>> member(const std::string& session) const;
    store::Result<std::optional<RunRecord>> run(const std::string& session) const;

    /// A row that is a text; empty: none.
    store::Result<std::string> text(const store::RowName& name) const;

    /// Null: none.
    const Holding* find(const std::string& group) const;

    const std::map<std::string, Holding>& groups() const { return groups_; }

    /// Rises with every change.
    std::uint64_t version() const { return rows_.version(); }

    /// From now on every change notes that the log had come to this line.
    void note_log(const share::ChainLink& last) { log_ = last; }

    /// What the last change has noted; sequence 0: nothing.
    share::ChainLink log_noted() const;

    /// All or nothing, durable when it returns.
    Result<void> commit(Changes changes);
    /// The same, and `holding` stands for its group from now on.
    Result<void> commit(Changes changes, Holding holding);

    /// Reads every live share from the disk again: what is wrong, in words.
    std::vector<std::string> problems() const;

private:
    explicit CustodianStore(store::SealedStore rows) : rows_(std::move(rows)) {}

    store::Result<void> load();

    store::SealedStore rows_;
    std::optional<core::SigningKey> identity_;
    share::ChainLink log_;
    std::map<std::string, Holding> groups_;  ///< by id, base64url
};

}  // namespace pgveil::custodian
