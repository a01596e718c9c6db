#include "keyshare/share/proxy_bootstrap.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/share/first_row.hpp"
#include "keyshare/share/tenant.hpp"

#include <utility>

namespace pgveil::share {
namespace {

Error out_of_order(std::string message) {
    return Error{ErrorCode::kOutOfOrder, std::move(message)};
}

Digest hash_of(std::string_view jws) {
    const auto hash = core::jws_hash(jws);
    core::invariant(hash.has_value(), "a verified JWS has a hash");
    return *hash;
}

Keyring first_keyring(const GroupParts<TenantKey>& keys, const ProxyBootstrap::Proxy& proxy) {
    std::vector<KeyringRow> rows;
    for (const GroupPart<TenantKey>& group : keys) {
        const auto key_id = static_cast<std::uint32_t>(rows.size() + 1);
        rows.push_back(first_row(proxy.tenant, group, key_id, proxy.random));
    }
    return with_rows(Keyring(), std::move(rows));
}

}  // namespace

ProxyBootstrap ProxyBootstrap::order(std::string verifier, std::optional<Digest> expected_tenant) {
    ProxyBootstrap bootstrap;
    bootstrap.verifier_ = std::move(verifier);
    bootstrap.expected_tenant_ = expected_tenant;
    return bootstrap;
}

Result<void> ProxyBootstrap::check_tenant(const Hello& hello, std::string_view tenant) const {
    if (hello.tenant != tenant) {
        return Error{
            ErrorCode::kForeign,
            "this proxy was ordered for tenant " + std::string(tenant) + ", not for " +
                hello.tenant};
    }
    const Digest fingerprint = fingerprint_of(hello.signing, hello.sealing);
    if (expected_tenant_ && *expected_tenant_ != fingerprint) {
        return Error{
            ErrorCode::kForeign,
            "this proxy was ordered for the tenant keys with fingerprint " +
                fingerprint_text(*expected_tenant_) + ", not " + fingerprint_text(fingerprint)};
    }
    if (tenant_signing_ &&
        (*tenant_signing_ != hello.signing || *tenant_sealing_ != hello.sealing)) {
        return Error{
            ErrorCode::kForeign,
            "the one-time password was spent by the tenant keys with fingerprint " +
                fingerprint_text(fingerprint_of(*tenant_signing_, *tenant_sealing_)) +
                ": if these are not yours, stop and have the proxy ordered again"};
    }
    return {};
}

Result<std::string> ProxyBootstrap::on_hello(std::string_view jws, const Proxy& proxy) {
    const auto hello = verify_hello(jws);
    if (!hello.has_value()) {
        return hello.error();
    }
    const auto checked = check_tenant(*hello, proxy.tenant);
    if (!checked.has_value()) {
        return checked.error();
    }
    const Digest hash = hash_of(jws);
    if (!offer_.empty() && hello_ == hash) {
        return offer_;
    }
    if (stage_ == Stage::kHandedOver || stage_ == Stage::kClosed) {
        return out_of_order(
            "the tenant key was made already: continue from the saved state, or have the proxy "
            "ordered again"
        );
    }
    if (!tenant_signing_) {
        pinned_at_s_ = proxy.now_s;
    }
    tenant_signing_ = hello->signing;
    tenant_sealing_ = hello->sealing;
    groups_ = hello->groups;
    hello_ = hash;
    contribution_ = core::random_secret<ProxyContribution>(proxy.random);
    contribution_key_ = core::HpkeKeyPair::generate();
    offer_ = sign_offer(
        Offer{
            std::string(proxy.tenant),
            hash,
            proxy.identity.verifying_key().point(),
            contribution_key_->point,
            contribution_commitment(proxy.tenant, *contribution_)},
        proxy.identity
    );
    stage_ = Stage::kOffered;
    return offer_;
}

GroupParts<TenantKey> ProxyBootstrap::derive_keys(
    const TenantContribution& tenant_contribution, std::string_view tenant
) const {
    GroupParts<TenantKey> keys;
    for (const std::string& group : groups_) {
        keys.push_back(
            {group, derive_tenant_key(*contribution_, tenant_contribution, tenant, group)}
        );
    }
    return keys;
}

void ProxyBootstrap::forget_contributions() {
    contribution_.reset();
    contribution_key_.reset();
}

Result<std::string> ProxyBootstrap::on_contribution(std::string_view jws, const Proxy& proxy) {
    if (!tenant_signing_) {
        return out_of_order("the bootstrap begins with \"hello\"");
    }
    const auto message = verify_contribution(jws, core::VerifyingKey(*tenant_signing_));
    if (!message.has_value()) {
        return message.error();
    }
    const Digest hash = hash_of(jws);
    if (!handover_.empty() && contribution_message_ == hash) {
        return handover_;
    }
    if (stage_ != Stage::kOffered || message->offer != hash_of(offer_)) {
        return out_of_order(
            "the contribution does not answer this proxy's last offer: continue from the saved "
            "state, or have the "
            "proxy ordered again"
        );
    }
    const auto tenant_part = open_contribution(message->sealed, *contribution_key_, proxy.tenant);
    if (!tenant_part.has_value()) {
        return tenant_part.error();
    }
    const HandoverSecrets secrets{
        contribution_->duplicate(), derive_keys(*tenant_part, proxy.tenant)};
    keyring_ = first_keyring(secrets.keys, proxy);
    const Handover handover{
        std::string(proxy.tenant),
        hash,
        seal_handover(secrets, *tenant_sealing_, proxy.tenant),
        keyring_};
    handover_ = sign_handover(handover, proxy.identity);
    contribution_message_ = hash;
    expected_mac_ = confirmation_mac(secrets.keys, proxy.tenant, hash_of(handover_));
    forget_contributions();
    stage_ = Stage::kHandedOver;
    return handover_;
}

Result<bool> ProxyBootstrap::on_confirmation(std::string_view jws, const Proxy& proxy) {
    if (!tenant_signing_) {
        return out_of_order("the bootstrap begins with \"hello\"");
    }
    const auto message = verify_confirmation(jws, core::VerifyingKey(*tenant_signing_));
    if (!message.has_value()) {
        return message.error();
    }
    const Digest hash = hash_of(jws);
    if (stage_ == Stage::kClosed && confirmation_ == hash) {
        return false;
    }
    if (stage_ != Stage::kHandedOver || message->handover != hash_of(handover_)) {
        return out_of_order("the confirmation does not answer this proxy's handover");
    }
    if (!core::equal_in_constant_time(message->mac, expected_mac_)) {
        return Error{
            ErrorCode::kForged,
            "the confirmation was made with another tenant key than was handed over"};
    }
    offer_.clear();
    close(hash, proxy.now_s);
    return true;
}

void ProxyBootstrap::close(const Digest& by, std::int64_t now_s) {
    confirmation_ = by;
    closed_at_s_ = now_s;
    handover_.clear();
    expected_mac_ = {};
    stage_ = Stage::kClosed;
}

Result<bool> ProxyBootstrap::on_adoption(std::string_view jws, const Proxy& proxy) {
    if (!tenant_signing_) {
        return out_of_order("an adoption begins with \"hello\"");
    }
    auto message = verify_adoption(jws, core::VerifyingKey(*tenant_signing_));
    if (!message.has_value()) {
        return message.error();
    }
    const Digest hash = hash_of(jws);
    if (stage_ == Stage::kClosed && confirmation_ == hash) {
        return false;
    }
    if (stage_ != Stage::kOffered || message->offer != hash_of(offer_)) {
        return out_of_order(
            "the adoption does not answer this proxy's last offer: continue from the saved state, "
            "or have the proxy ordered again"
        );
    }
    if (message->keyring.version == 0) {
        return Error{ErrorCode::kMalformed, "the adoption brings no keyring"};
    }
    keyring_ = std::move(message->keyring);
    forget_contributions();
    close(hash, proxy.now_s);  // the offer stays, so that the whole adoption can be repeated
    return true;
}

bool ProxyBootstrap::adopted() const {
    return stage_ == Stage::kClosed && contribution_message_ == Digest{};
}

void ProxyBootstrap::forget_password() {
    verifier_.clear();
    offer_.clear();
}

}  // namespace pgveil::share
