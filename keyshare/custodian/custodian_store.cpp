#include "keyshare/custodian/custodian_store.hpp"

#include "keyshare/core/random.hpp"
#include "keyshare/seal/file_seal.hpp"

#include <filesystem>
#include <string_view>
#include <system_error>

namespace pgveil::custodian {
namespace {

store::Error unusable_store(std::string message) {
    return {store::ErrorCode::kUnavailable, std::move(message)};
}

store::Error odd_row(std::string_view what) {
    return store::broken_store("holds a row of another form: " + std::string(what));
}

/// A fresh key is made for a fresh store only.
store::Result<std::shared_ptr<const store::RowSeal>> seal_in(
    const std::string& seal_file, bool is_fresh
) {
    seal::FileSeal seal(seal_file);
    if (is_fresh) {
        if (const auto made = seal.create_if_missing(core::system_random()); !made.has_value()) {
            return unusable_store(made.error().message);
        }
    }
    auto key = seal.current();
    if (!key.has_value()) {
        return unusable_store(key.error().message);
    }
    return std::make_shared<const store::RowSeal>(*std::move(key));
}

store::Result<void> make_folder(const std::filesystem::path& folder) {
    namespace fs = std::filesystem;
    std::error_code failed;
    if (!fs::exists(folder, failed) && fs::create_directories(folder, failed)) {
        fs::permissions(folder, fs::perms::owner_all, failed);
    }
    if (failed) {
        return unusable_store(folder.string() + " cannot be made: " + failed.message());
    }
    return {};
}

store::Result<Holding> load_holding(const store::SealedStore& rows, const std::string& id) {
    const auto row = rows.read(group_row(id));
    if (!row.has_value()) {
        return row.error();
    }
    auto record = parse_group_record(row->reveal());
    if (!record || id_of(record->group) != id) {
        return odd_row("group " + id);
    }
    Holding holding{*std::move(record), std::nullopt, std::nullopt};
    if (!rows.contains(share_row(id))) {
        return holding;
    }
    const auto share = rows.read(share_row(id));
    if (!share.has_value()) {
        return share.error();
    }
    if (!take_share(share->reveal(), holding)) {
        return odd_row("the share of group " + id + " does not belong to it");
    }
    return holding;
}

}  // namespace

store::Result<CustodianStore> CustodianStore::open(
    const std::string& store_file, const std::string& seal_file
) {
    const std::filesystem::path path(store_file);
    if (const auto made = make_folder(path.parent_path()); !made.has_value()) {
        return made.error();
    }
    std::error_code failed;
    const bool is_fresh = !std::filesystem::exists(path, failed);
    auto seal = seal_in(seal_file, is_fresh);
    if (!seal.has_value()) {
        return seal.error();
    }
    auto rows = store::SealedStore::open(path, *std::move(seal), is_fresh);
    if (!rows.has_value()) {
        return rows.error();
    }
    CustodianStore out(*std::move(rows));
    if (const auto loaded = out.load(); !loaded.has_value()) {
        return loaded.error();
    }
    return out;
}

store::Result<void> CustodianStore::load() {
    if (!rows_.contains(identity_row())) {
        if (rows_.version() != 0) {
            return store::broken_store("has no identity key");
        }
        const core::SigningKey fresh = core::SigningKey::generate();
        Changes changes;
        changes.push_back({identity_row(), core::SecretBytes::copy_of(fresh.scalar().reveal())});
        if (const auto kept = rows_.commit(std::move(changes), core::system_random());
            !kept.has_value()) {
            return kept.error();
        }
    }
    auto row = rows_.read(identity_row());
    if (!row.has_value()) {
        return row.error();
    }
    const auto scalar = core::Scalar::from(*std::move(row));
    if (!scalar.has_value()) {
        return odd_row("the identity key");
    }
    auto identity = core::SigningKey::from_scalar(*scalar);
    if (!identity.has_value()) {
        return odd_row("the identity key");
    }
    identity_ = *std::move(identity);
    for (const std::string& id : rows_.keys("group")) {
        auto holding = load_holding(rows_, id);
        if (!holding.has_value()) {
            return holding.error();
        }
        groups_.emplace(id, *std::move(holding));
    }
    return {};
}

store::Result<std::optional<MemberRecord>> CustodianStore::member(const std::string& session
) const {
    if (!rows_.contains(member_row(session))) {
        return std::optional<MemberRecord>();
    }
    const auto row = rows_.read(member_row(session));
    if (!row.has_value()) {
        return row.error();
    }
    auto record = parse_member(row->reveal());
    if (!record) {
        return odd_row("the member key of session " + session);
    }
    return record;
}

store::Result<std::optional<RunRecord>> CustodianStore::run(const std::string& session) const {
    if (!rows_.contains(run_row(session))) {
        return std::optional<RunRecord>();
    }
    const auto row = rows_.read(run_row(session));
    if (!row.has_value()) {
        return row.error();
    }
    auto record = parse_run(row->reveal());
    if (!record) {
        return odd_row("the run of session " + session);
    }
    return record;
}

store::Result<std::string> CustodianStore::text(const store::RowName& name) const {
    if (!rows_.contains(name)) {
        return std::string();
    }
    const auto row = rows_.read(name);
    if (!row.has_value()) {
        return row.error();
    }
    return std::string(core::as_text(row->reveal()));
}

const Holding* CustodianStore::find(const std::string& group) const {
    const auto found = groups_.find(group);
    return found == groups_.end() ? nullptr : &found->second;
}

share::ChainLink CustodianStore::log_noted() const {
    const auto noted = text(log_row());
    share::JsonReader reader(noted.has_value() ? std::string_view(*noted) : std::string_view());
    const share::ChainLink out{reader.u64("seq"), reader.digest("hash")};
    return reader.ok() ? out : share::ChainLink();
}

Result<void> CustodianStore::commit(Changes changes) {
    if (log_.sequence != 0) {
        const share::Json noted{{"seq", log_.sequence}, {"hash", share::json_digest(log_.hash)}};
        changes.push_back(
            {log_row(), core::SecretBytes::copy_of(core::as_bytes(share::write_json(noted)))}
        );
    }
    bool deletes = false;
    for (const store::Change& change : changes) {
        deletes = deletes || !change.body;
    }
    if (const auto kept = rows_.commit(std::move(changes), core::system_random());
        !kept.has_value()) {
        return refusal_of(kept.error());
    }
    if (deletes) {
        rows_.forget_old_copies();
    }
    return {};
}

Result<void> CustodianStore::commit(Changes changes, Holding holding) {
    if (const auto kept = commit(std::move(changes)); !kept.has_value()) {
        return kept;
    }
    const std::string id = id_of(holding.record.group);
    groups_.insert_or_assign(id, std::move(holding));
    return {};
}

std::vector<std::string> CustodianStore::problems() const {
    std::vector<std::string> out;
    for (const auto& [id, holding] : groups_) {
        if (!holding.is_live()) {
            continue;
        }
        const auto read = load_holding(rows_, id);
        if (!read.has_value()) {
            out.push_back("group " + id + ": " + read.error().message);
        } else if (!read->is_live()) {
            out.push_back("group " + id + ": its share is not in the store any more");
        }
    }
    return out;
}

}  // namespace pgveil::custodian
