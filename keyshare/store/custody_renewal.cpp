#include "keyshare/share/binary_fields.hpp"
#include "keyshare/store/custody_impl.hpp"

#include <utility>

namespace pgveil::store {
namespace {

constexpr std::string_view kRenewalFormat = "pgveil/1 renewal due";

Error from_seal(const seal::Error& error) {
    return Error{ErrorCode::kUnavailable, error.message};
}

// Copies of the store from before stay readable until this has succeeded.
Error not_renewed(const std::string& why) {
    return Error{
        ErrorCode::kUnavailable,
        "the store key could not be renewed, so that older copies of the share store still open "
        "with it; this is tried again twice a minute: " +
            why};
}

std::shared_ptr<const RowSeal> row_seal(seal::StoreKey key) {
    return std::make_shared<const RowSeal>(std::move(key));
}

}  // namespace

Result<SealedStore> open_under(seal::Seal& seal, const std::filesystem::path& path, bool create) {
    auto current = seal.current();
    if (!current.has_value()) {
        return from_seal(current.error());
    }
    auto successor = seal.successor();
    if (!successor.has_value()) {
        return from_seal(successor.error());
    }
    auto store = SealedStore::open(path, row_seal(*std::move(current)), create);
    if (!successor->has_value()) {
        return store;
    }
    if (store.has_value()) {
        const auto abandoned = seal.abandon_renewal();
        return abandoned.has_value() ? std::move(store) : from_seal(abandoned.error());
    }
    auto resealed = SealedStore::open(path, row_seal(**std::move(successor)), false);
    if (!resealed.has_value()) {
        return store;
    }
    const auto finished = seal.finish_renewal();
    return finished.has_value() ? std::move(resealed) : from_seal(finished.error());
}

Change renewal_due() {
    return {renewal_row(), share::FieldWriter(kRenewalFormat).finish()};
}

void ProxyCustody::Impl::make_renewal_due(std::vector<Change>& changes) {
    changes.push_back(renewal_due());
}

// Beginning anew before that would destroy the key that the store is sealed under.
Result<void> ProxyCustody::Impl::settle_successor() {
    if (store_.is_shared()) {
        const auto followed = follow_store_key(*seal_, store_);
        return followed.has_value() ? followed : not_renewed(followed.error().message);
    }
    if (successor_in_force_) {
        const auto finished = seal_->finish_renewal();
        if (!finished.has_value()) {
            return not_renewed(finished.error().message);
        }
        successor_in_force_ = false;
    }
    return {};
}

Result<void> ProxyCustody::Impl::seal_anew() {
    if (store_.is_shared()) {
        const auto resealed = reseal_shared();
        return resealed.has_value() ? publish_resealed() : resealed;
    }
    auto key = seal_->begin_renewal(core::system_random());
    if (!key.has_value()) {
        return not_renewed(key.error().message);
    }
    std::vector<Change> changes;
    changes.push_back({renewal_row(), std::nullopt});
    const auto resealed =
        store_.reseal(row_seal(*std::move(key)), std::move(changes), core::system_random());
    if (!resealed.has_value()) {
        return not_renewed(resealed.error().message);
    }
    successor_in_force_ = true;
    return publish_resealed();
}

Result<void> ProxyCustody::Impl::publish_resealed() {
    auto next = copy_snapshot();
    next->seal = store_.row_seal();
    next->store_version = store_.version();
    next->renewal_due = false;
    for (auto& [user_id, user] : next->users) {
        auto loaded = load_user(user_id);
        if (!loaded.has_value()) {
            return loaded.error();
        }
        user = *std::move(loaded);
    }
    snapshot_.publish(std::move(next));
    store_.forget_old_copies();
    return {};
}

Result<void> ProxyCustody::Impl::renew_store_key() {
    auto done = settle_successor();
    if (done.has_value() && store_.contains(renewal_row())) {
        done = seal_anew();
    }
    return done.has_value() ? settle_successor() : done;
}

void ProxyCustody::Impl::renew_store_key_soon() {
    if (!renew_store_key().has_value()) {
        tidied_s_ = 0;  // the next maintain() tries again
    }
}

Result<void> ProxyCustody::Impl::load_claims() {
    const auto claims = store_.claims().all();
    if (!claims.has_value()) {
        return claims.error();
    }
    for (const TokenClaim& claim : *claims) {
        if (const auto forgotten = forgotten_in(claim)) {
            nonces_.restore_forgotten(*forgotten);
            continue;
        }
        nonces_.restore(
            claim.nonce,
            {claim.login,
             claim.expires_s,
             {claim.uses, claim.uses},  // what was reserved counts as given
             {claim.statements, claim.statements}}
        );
    }
    return {};
}

}  // namespace pgveil::store
