#include "keyshare/store/custody_impl.hpp"

#include "keyshare/share/tenant.hpp"
#include "keyshare/store/rebuild.hpp"

#include <utility>

namespace pgveil::store {

RowName identity_row() {
    return {"custody", "identity"};
}

RowName bootstrap_row() {
    return {"custody", "bootstrap"};
}

RowName state_row() {
    return {"custody", "state"};
}

RowName token_key_row(std::uint32_t key_id) {
    return {"token_key", std::to_string(key_id)};
}

RowName receipt_row(std::uint64_t sequence) {
    return {"receipt", std::to_string(sequence)};
}

Error from_share(const share::Error& error) {
    switch (error.code) {
        case share::ErrorCode::kForged: return {ErrorCode::kForged, error.message};
        case share::ErrorCode::kOutOfOrder:
        case share::ErrorCode::kExpired: return {ErrorCode::kOutOfOrder, error.message};
        case share::ErrorCode::kFailed: return {ErrorCode::kFailed, error.message};
        case share::ErrorCode::kMalformed:
        case share::ErrorCode::kForeign:
        case share::ErrorCode::kUnsupported:
        case share::ErrorCode::kInvalidArgument:
        case share::ErrorCode::kUnknownGroup:
        case share::ErrorCode::kUnknownKey: break;
    }
    return {ErrorCode::kRefused, error.message};
}

RowName spent_token_key_row(std::uint32_t key_id) {
    return {"spent_token_key", std::to_string(key_id)};
}

RowName renewal_row() {
    return {"custody", "renewal"};
}

BootstrapFacts facts_of(const share::ProxyBootstrap& bootstrap) {
    BootstrapFacts facts;
    facts.stage = bootstrap.stage();
    facts.verifier = bootstrap.verifier();
    facts.tenant_signing = bootstrap.tenant_signing_key();
    if (bootstrap.tenant_signing_key() && bootstrap.tenant_sealing_key()) {
        facts.tenant_fingerprint = share::fingerprint_text(
            share::fingerprint_of(*bootstrap.tenant_signing_key(), *bootstrap.tenant_sealing_key())
        );
    }
    facts.pinned_at_s = bootstrap.pinned_at_s();
    facts.closed_at_s = bootstrap.closed_at_s();
    facts.adopted = bootstrap.adopted();
    return facts;
}

ProxyCustody::Impl::Impl(Parts parts)
    : tenant_(std::move(parts.options.tenant)),
      limits_(parts.options.limits),
      opening_(parts.options.opening),
      identity_(std::move(parts.identity)),
      fingerprint_(identity_.verifying_key().point().fingerprint()),
      seal_(std::move(parts.seal)),
      store_(std::move(parts.store)),
      state_(std::move(parts.state)),
      place_(parts.options.postgresql) {}

Result<core::SigningKey> read_identity(const SealedStore& store) {
    const auto bytes = store.read(identity_row());
    if (!bytes.has_value()) {
        return bytes.error();
    }
    const auto scalar = core::Scalar::from(bytes->reveal());
    auto identity = scalar.has_value() ? core::SigningKey::from_scalar(*scalar)
                                       : core::Result<core::SigningKey>(scalar.error());
    if (!identity.has_value()) {
        return Error{ErrorCode::kBroken, "the share store holds no usable identity key"};
    }
    return *std::move(identity);
}

Result<std::unique_ptr<ProxyCustody::Impl>> ProxyCustody::Impl::open(
    const CustodyOptions& options, std::unique_ptr<seal::Seal> seal
) {
    const std::int64_t begun_ms = steady_ms();
    auto store = open_place(*seal, options.place(), false);
    if (!store.has_value()) {
        return store.error();
    }
    if (!store->contains(state_row())) {
        return Error{
            ErrorCode::kUnavailable,
            "the share store " + options.place().text() + " is empty: order the proxy first"};
    }
    const auto is_here = check_not_moved(*store, options.place().text());
    if (!is_here.has_value()) {
        return is_here.error();
    }
    const auto state_bytes = store->read(state_row());
    if (!state_bytes.has_value()) {
        return state_bytes.error();
    }
    auto state = parse_custody_state(state_bytes->reveal());
    if (!state.has_value()) {
        return state.error();
    }
    if (state->tenant != options.tenant) {
        return Error{
            ErrorCode::kRefused,
            "the share store " + options.place().text() + " is of tenant \"" + state->tenant +
                "\", but the settings say \"" + options.tenant + "\""};
    }
    auto identity = read_identity(*store);
    if (!identity.has_value()) {
        return identity.error();
    }
    std::unique_ptr<Impl> impl(new Impl(
        {options, std::move(seal), *std::move(store), *std::move(identity), *std::move(state)}
    ));
    impl->seen_ms_ = begun_ms;
    const auto loaded = impl->load();
    if (!loaded.has_value()) {
        return loaded.error();
    }
    return impl;
}

Result<void> ProxyCustody::Impl::load() {
    auto loaded = place_ ? check_mark() : Result<void>();
    if (loaded.has_value()) {
        loaded = load_snapshot();
    }
    if (loaded.has_value()) {
        loaded = place_ ? begin_sharing() : load_claims();
    }
    if (loaded.has_value() && store_.contains(renewal_row())) {
        static_cast<void>(renew_store_key());  // maintain() tries again and says what is wrong
    }
    if (loaded.has_value() && place_) {
        start_watch();
    }
    return loaded;
}

Result<share::ProxyBootstrap> ProxyCustody::Impl::load_bootstrap() const {
    const auto bytes = store_.read(bootstrap_row());
    if (!bytes.has_value()) {
        return bytes.error();
    }
    auto bootstrap = share::ProxyBootstrap::restore(bytes->reveal());
    if (!bootstrap.has_value()) {
        return Error{ErrorCode::kBroken, bootstrap.error().message};
    }
    return *std::move(bootstrap);
}

Result<std::shared_ptr<const User>> ProxyCustody::Impl::load_user(const std::string& user_id
) const {
    const auto bytes = store_.read(user_row(user_id));
    if (!bytes.has_value()) {
        return bytes.error();
    }
    auto record = parse_user_record(bytes->reveal());
    if (!record.has_value()) {
        return record.error();
    }
    User user{*std::move(record), {}, {}};
    if (user.record.active) {
        auto parts = store_.read_sealed(part_row(user_id));
        if (!parts.has_value()) {
            return parts.error();
        }
        user.parts = *std::move(parts);
    }
    if (store_.contains(former_row(user_id))) {
        auto former = load_former(user_id);
        if (!former.has_value()) {
            return former.error();
        }
        user.former = *std::move(former);
    }
    return std::make_shared<const User>(std::move(user));
}

Result<void> ProxyCustody::Impl::load_snapshot() {
    const auto bootstrap = load_bootstrap();
    if (!bootstrap.has_value()) {
        return bootstrap.error();
    }
    auto next = std::make_shared<Snapshot>();
    next->seal = store_.row_seal();
    next->bootstrap = facts_of(*bootstrap);
    if (state_.keyring.version > 0) {
        next->keyring = std::make_shared<const share::Keyring>(state_.keyring);
    }
    for (const std::string& key_id : store_.keys("token_key")) {
        const auto bytes = store_.read({"token_key", key_id});
        auto key = bytes.has_value() ? parse_token_key(bytes->reveal()) : bytes.error();
        if (!key.has_value()) {
            return key.error();
        }
        next->token_keys.push_back(*std::move(key));
    }
    for (const std::string& key_id : store_.keys("spent_token_key")) {
        const auto bytes = store_.read({"spent_token_key", key_id});
        auto spent = bytes.has_value() ? parse_spent_token_key(bytes->reveal()) : bytes.error();
        if (!spent.has_value()) {
            return spent.error();
        }
        next->spent_token_keys.emplace(spent->key_id, spent->destroyed_at_s);
    }
    for (const std::string& user_id : store_.keys("user")) {
        auto user = load_user(user_id);
        if (!user.has_value()) {
            return user.error();
        }
        next->users.emplace(user_id, *std::move(user));
    }
    auto locks = load_locks();
    if (!locks.has_value()) {
        return locks.error();
    }
    next->locks = *std::move(locks);
    next->store_version = store_.version();
    next->renewal_due = store_.contains(renewal_row());
    next->last_sequence = state_.last_sequence;
    keep_zeros(*next);
    snapshot_.publish(std::move(next));
    return {};
}

/// What D was seen to hold stays known when the store is read again.
void ProxyCustody::Impl::keep_zeros(Snapshot& next) const {
    const SnapshotPtr before = snapshot_.current();
    if (next.keyring && before->keyring && before->zeros) {
        next.keyring = before->keyring;
        next.zeros = before->zeros;
        follow_keyring(next);
    }
}

std::shared_ptr<Snapshot> ProxyCustody::Impl::copy_snapshot() const {
    return std::make_shared<Snapshot>(*snapshot_.current());
}

Result<void> ProxyCustody::Impl::commit(
    std::vector<Change> changes, std::shared_ptr<Snapshot> next
) {
    const auto done = store_.commit(std::move(changes), core::system_random());
    if (!done.has_value()) {
        return done;
    }
    next->store_version = store_.version();
    next->last_sequence = state_.last_sequence;
    next->renewal_due = store_.contains(renewal_row());
    snapshot_.publish(std::move(next));
    return {};
}

share::Verdict<share::RequestKeys> ProxyCustody::Impl::rebuild(
    const share::PresentedShares& presented, std::int64_t now_s, OpenedTokens::Slot& slot
) {
    const auto is_fresh = check_freshness();
    if (!is_fresh.has_value()) {
        return is_fresh.error();
    }
    const std::uint64_t wipes = opened_.wipes();  // before the snapshot, for keep()
    const OpenedTokenPtr opened =
        presented.token != nullptr ? OpenedTokens::find(slot, presented.token->reveal()) : nullptr;
    auto rebuilt = rebuild_and_claim(presented, now_s, opened, slot);
    const bool is_valid = rebuilt.has_value() && now_s < rebuilt->keys.token_expires_s();
    if (!is_valid) {
        slot.wipe();
    } else if (opening_ == TokenOpening::kPerToken && rebuilt->token != opened) {
        opened_.keep(slot, std::move(rebuilt->token), wipes);
    }
    return rebuilt.has_value() ? share::Verdict<share::RequestKeys>(std::move(rebuilt->keys))
                               : rebuilt.error();
}

share::Verdict<Rebuilt> ProxyCustody::Impl::rebuild_and_claim(
    const share::PresentedShares& presented,
    std::int64_t now_s,
    const OpenedTokenPtr& opened,
    OpenedTokens::Slot& slot
) {
    const SnapshotPtr snapshot = snapshot_.current();
    auto rebuilt =
        rebuild_keys({tenant_, fingerprint_, limits_, *snapshot, now_s}, presented, opened);
    if (!rebuilt.has_value()) {
        return rebuilt;
    }
    const auto is_open = check_lock(*snapshot, presented.user_id, now_s);
    if (!is_open.has_value()) {
        return is_open.error();
    }
    const auto claimed =
        place_ ? claim_shared(*rebuilt, presented.login) : claim_token(*rebuilt, presented.login);
    if (!claimed.has_value()) {
        return claimed.error();
    }
    if (rebuilt->keys.scope() != nullptr) {
        const auto counted = count_use(*rebuilt, slot);
        if (!counted.has_value()) {
            return counted.error();
        }
    }
    if (rebuilt->keys.scope() != nullptr && rebuilt->keys.scope()->challenge) {
        presented.challenges->spend(*rebuilt->keys.scope()->challenge, rebuilt->token->text);
    }
    if (rebuilt->renewed_epoch) {
        end_renewal(presented.user_id, *rebuilt->renewed_epoch);
    }
    return rebuilt;
}

share::Verdict<void> ProxyCustody::Impl::claim_token(
    const Rebuilt& rebuilt, const std::string& login
) {
    const share::Nonce& nonce = rebuilt.token->contents.nonce;
    const std::int64_t issued_s = rebuilt.token->contents.issued_at_s;
    const std::int64_t until_s = rebuilt.keys.grace_ends_s();
    switch (nonces_.claim(nonce, login, {issued_s, until_s}, rebuilt.now_s)) {
        case Claim::kOwn: return {};
        case Claim::kTaken: return token_taken();
        case Claim::kForgotten: return token_forgotten();
        case Claim::kFirst: break;
    }
    const std::scoped_lock lock(writer_);
    const auto noted = store_.claims().add({nonce, login, until_s}, core::system_random());
    if (noted.has_value()) {
        return {};
    }
    nonces_.release(nonce);
    return share::Denial{
        share::DenialKind::kStoreUnavailable,
        "the proxy cannot write down the first use of the user token, so it does not accept it: " +
            noted.error().message};
}

CustodyReport ProxyCustody::Impl::report() const {
    const SnapshotPtr snapshot = snapshot_.current();
    const BootstrapFacts& facts = snapshot->bootstrap;
    CustodyReport report;
    report.ordered = true;
    report.pinned = facts.tenant_signing.has_value();
    report.closed = facts.stage == share::ProxyBootstrap::Stage::kClosed;
    report.tenant_fingerprint = facts.tenant_fingerprint;
    report.identity_fingerprint = share::fingerprint_text(fingerprint_);
    report.pinned_at_s = facts.pinned_at_s;
    report.closed_at_s = facts.closed_at_s;
    report.store_version = snapshot->store_version;
    report.last_sequence = snapshot->last_sequence;
    for (const auto& [user_id, user] : snapshot->users) {
        ++(user->record.active ? report.active_users : report.withdrawn_users);
        report.renewing_users += user->former ? 1U : 0U;
    }
    report.zero_read = snapshot->zeros != nullptr;
    report.mirror_behind =
        report.zero_read && snapshot->zeros->size() != snapshot->keyring->rows.size();
    report.renewal_due = snapshot->renewal_due;
    return report;
}

}  // namespace pgveil::store
