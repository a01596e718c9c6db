#include "keyshare/share/names.hpp"
#include "keyshare/share/one_time_password.hpp"
#include "keyshare/share/tenant.hpp"
#include "keyshare/store/backup.hpp"
#include "keyshare/store/custody_impl.hpp"

#include <utility>

namespace pgveil::store {
namespace {

// Everything of an earlier order that was not finished.
void delete_all(const SealedStore& store, std::vector<Change>& changes) {
    for (const char* table :
         {"custody", "token_key", "spent_token_key", "user", "part", "receipt"}) {
        for (std::string& key : store.keys(table)) {
            changes.push_back({{table, std::move(key)}, std::nullopt});
        }
    }
}

Result<void> check_order_allowed(const SealedStore& store, bool again) {
    if (!store.contains(state_row())) {
        return {};
    }
    const auto bytes = store.read(bootstrap_row());
    if (!bytes.has_value()) {
        return bytes.error();
    }
    const auto bootstrap = share::ProxyBootstrap::restore(bytes->reveal());
    if (!bootstrap.has_value()) {
        return Error{ErrorCode::kBroken, bootstrap.error().message};
    }
    if (bootstrap->stage() == share::ProxyBootstrap::Stage::kClosed) {
        return Error{
            ErrorCode::kRefused,
            "this proxy belongs to a tenant already: use another store for another order"};
    }
    if (!again) {
        return Error{
            ErrorCode::kRefused,
            "this proxy was ordered already and waits for its tenant; ordering it again makes new "
            "keys and a new "
            "one-time password"};
    }
    return {};
}

}  // namespace

Result<Order> ProxyCustody::order(
    const CustodyOptions& options, seal::Seal& seal, const OrderOptions& order, std::int64_t now_s
) {
    if (!share::is_plain_name(options.tenant)) {
        return Error{
            ErrorCode::kRefused,
            "the tenant's name must be 1 to 255 bytes without control characters"};
    }
    auto store = open_place(seal, options.place(), true);
    if (!store.has_value()) {
        return store.error();
    }
    const auto allowed = check_order_allowed(*store, order.again);
    if (!allowed.has_value()) {
        return allowed.error();
    }
    core::RandomSource& random = core::system_random();
    const auto identity = core::SigningKey::generate();
    const TokenKeyRecord token_key = make_token_key(now_s, options.limits, random);
    share::OneTimePassword password = share::make_one_time_password(random);
    CustodyState state;
    state.tenant = options.tenant;
    add_command_key(state);
    std::vector<Change> changes;
    delete_all(*store, changes);
    changes.push_back({identity_row(), core::SecretBytes::copy_of(identity.scalar().reveal())});
    changes.push_back({token_key_row(token_key.key_id), serialize(token_key)});
    changes.push_back({state_row(), serialize(state)});
    changes.push_back(
        {bootstrap_row(),
         share::ProxyBootstrap::order(password.verifier, order.expected_tenant).save()}
    );
    const auto done = store->commit(std::move(changes), random);
    if (!done.has_value()) {
        return done.error();
    }
    store->forget_old_copies();
    if (options.postgresql) {
        const auto forgotten = forget_mark(*options.postgresql);  // of an order that is no more
        if (!forgotten.has_value()) {
            return forgotten.error();
        }
    }
    return Order{
        std::move(password.text),
        share::fingerprint_text(identity.verifying_key().point().fingerprint())};
}

std::optional<std::string> ProxyCustody::Impl::bootstrap_verifier() const {
    const SnapshotPtr snapshot = snapshot_.current();
    if (snapshot->bootstrap.verifier.empty()) {
        return std::nullopt;
    }
    return snapshot->bootstrap.verifier;
}

Result<std::string> ProxyCustody::Impl::bootstrap_call(
    std::string_view step, std::string_view argument, std::int64_t now_s
) {
    const std::scoped_lock lock(writer_);
    return in_turn([&] { return continue_bootstrap(step, argument, now_s); });
}

Result<std::string> ProxyCustody::Impl::continue_bootstrap(
    std::string_view step, std::string_view argument, std::int64_t now_s
) {
    if (snapshot_.current()->bootstrap.verifier.empty()) {
        return Error{ErrorCode::kOutOfOrder, "the bootstrap of this proxy is closed for good"};
    }
    auto bootstrap = load_bootstrap();
    if (!bootstrap.has_value()) {
        return bootstrap.error();
    }
    return step_bootstrap(*bootstrap, step, argument, now_s);
}

Result<std::string> ProxyCustody::Impl::step_bootstrap(
    share::ProxyBootstrap& bootstrap,
    std::string_view step,
    std::string_view argument,
    std::int64_t now_s
) {
    if (step == "confirm" || step == "adopt") {
        return close_bootstrap(bootstrap, step, argument, now_s);
    }
    if (step != "hello" && step != "contribute") {
        return Error{
            ErrorCode::kRefused, "the bootstrap has no step \"" + std::string(step) + "\""};
    }
    const share::ProxyBootstrap::Proxy proxy{tenant_, identity_, core::system_random(), now_s};
    auto answer = step == "hello" ? bootstrap.on_hello(argument, proxy)
                                  : bootstrap.on_contribution(argument, proxy);
    if (!answer.has_value()) {
        return from_share(answer.error());
    }
    auto next = copy_snapshot();
    next->bootstrap = facts_of(bootstrap);
    std::vector<Change> changes;
    changes.push_back({bootstrap_row(), bootstrap.save()});
    if (step == "contribute") {
        make_renewal_due(changes);  // older copies of the row hold this side's part of TK
    }
    const auto done = commit(std::move(changes), std::move(next));
    if (!done.has_value()) {
        return done.error();
    }
    store_.forget_old_copies();
    renew_store_key_soon();
    return *std::move(answer);
}

Result<std::string> ProxyCustody::Impl::close_bootstrap(
    share::ProxyBootstrap& bootstrap,
    std::string_view step,
    std::string_view argument,
    std::int64_t now_s
) {
    const share::ProxyBootstrap::Proxy proxy{tenant_, identity_, core::system_random(), now_s};
    const auto newly_closed = step == "adopt" ? bootstrap.on_adoption(argument, proxy)
                                              : bootstrap.on_confirmation(argument, proxy);
    if (!newly_closed.has_value()) {
        return from_share(newly_closed.error());
    }
    if (!*newly_closed) {
        return bootstrap.close_receipt();
    }
    CustodyState state = state_;
    state.keyring = bootstrap.keyring();
    const share::Receipt receipt{
        .tenant = tenant_,
        .sequence = 0,
        .hash = bootstrap.confirmation_hash(),
        .outcome = share::Outcome::kApplied,
        .reason = {},
        .at_s = now_s,
        .store_version = store_.version() + 1,
        .keyring = state.keyring,
        .next_command_key = state.command_keys.back().public_key()};
    bootstrap.set_close_receipt(share::sign_receipt(receipt, identity_));
    const auto head = core::jws_hash(bootstrap.close_receipt());
    core::invariant(head.has_value(), "what was just signed is a JWS");
    state.last_hash = *head;
    auto next = copy_snapshot();
    next->bootstrap = facts_of(bootstrap);
    next->keyring = std::make_shared<const share::Keyring>(state.keyring);
    std::vector<Change> changes;
    changes.push_back({bootstrap_row(), bootstrap.save()});
    changes.push_back({state_row(), serialize(state)});
    const auto done = commit(std::move(changes), std::move(next));
    if (!done.has_value()) {
        return done.error();
    }
    state_ = std::move(state);
    store_.forget_old_copies();
    return bootstrap.close_receipt();
}

}  // namespace pgveil::store
