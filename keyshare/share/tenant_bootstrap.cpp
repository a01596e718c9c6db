#include "keyshare/share/tenant_bootstrap.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/core/jws.hpp"
#include "keyshare/share/binary_fields.hpp"
#include "keyshare/share/bootstrap_messages.hpp"
#include "keyshare/share/names.hpp"
#include "keyshare/share/receipt.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::share {
namespace {

constexpr std::string_view kFormat = "pgveil/1 tenant bootstrap";

Error wrong_answer(std::string_view what) {
    return Error{
        ErrorCode::kOutOfOrder,
        "the proxy answered something else than was asked (" + std::string(what) +
            "); try again, and if it repeats do not trust this proxy"};
}

bool same_groups(const GroupParts<TenantKey>& keys, const std::vector<std::string>& groups) {
    return std::ranges::equal(keys, groups, {}, &GroupPart<TenantKey>::group);
}

std::vector<GroupKey> duplicate_keys(const GroupParts<TenantKey>& keys) {
    std::vector<GroupKey> copies;
    for (const auto& [group, key] : keys) {
        copies.push_back({group, kFirstEpoch, key.duplicate()});
    }
    return copies;
}

}  // namespace

Result<TenantBootstrap> TenantBootstrap::begin(
    std::string_view tenant, std::vector<std::string> groups, const TenantIdentity& identity
) {
    std::ranges::sort(groups);
    const bool unique = std::ranges::adjacent_find(groups) == groups.end();
    if (!is_plain_name(tenant) || groups.empty() || groups.size() > kGroupsMax || !unique ||
        !std::ranges::all_of(groups, is_group_name)) {
        return Error{
            ErrorCode::kInvalidArgument,
            "a tenant needs a name and 1 to 64 different key groups named like [a-z][a-z0-9_]*"};
    }
    TenantBootstrap run;
    run.tenant_ = tenant;
    run.groups_ = std::move(groups);
    const Hello hello{
        run.tenant_, identity.signing.verifying_key().point(), identity.sealing.point, run.groups_};
    run.request_ = sign_hello(hello, identity.signing);
    return run;
}

std::string_view TenantBootstrap::step() const {
    switch (stage_) {
        case Stage::kHello: return "hello";
        case Stage::kContribute: return "contribute";
        case Stage::kConfirm: return "confirm";
        case Stage::kDone: return "";
    }
    return "";
}

Digest TenantBootstrap::request_hash() const {
    const auto hash = core::jws_hash(request_);
    core::invariant(hash.has_value(), "a bootstrap request is a JWS of our own");
    return *hash;
}

Result<void> TenantBootstrap::accept(
    std::string_view reply, const TenantIdentity& identity, core::RandomSource& random
) {
    switch (stage_) {
        case Stage::kHello: return accept_offer(reply, identity, random);
        case Stage::kContribute: return accept_handover(reply, identity);
        case Stage::kConfirm: return accept_close(reply);
        case Stage::kDone: break;
    }
    return Error{ErrorCode::kOutOfOrder, "the bootstrap is finished already"};
}

Result<void> TenantBootstrap::accept_offer(
    std::string_view reply, const TenantIdentity& identity, core::RandomSource& random
) {
    const auto offer = verify_offer(reply);
    if (!offer.has_value()) {
        return offer.error();
    }
    if (offer->tenant != tenant_ || offer->hello != request_hash()) {
        return wrong_answer("an offer for another hello");
    }
    const auto offer_hash = core::jws_hash(reply);
    core::invariant(offer_hash.has_value(), "a verified JWS has a hash");
    auto contribution = core::random_secret<TenantContribution>(random);
    const ContributionMessage message{
        tenant_, *offer_hash, seal_contribution(contribution, offer->contribution_key, tenant_)};
    request_ = sign_contribution(message, identity.signing);
    contribution_ = std::move(contribution);
    proxy_identity_ = offer->identity;
    commitment_ = offer->commitment;
    stage_ = Stage::kContribute;
    return {};
}

Result<void> TenantBootstrap::check_handover(const HandoverSecrets& secrets, const Keyring& keyring)
    const {
    if (contribution_commitment(tenant_, secrets.contribution) != commitment_) {
        return Error{
            ErrorCode::kForged,
            "the proxy changed its part of the tenant key after it saw ours: do not trust this "
            "proxy"};
    }
    if (!same_groups(secrets.keys, groups_)) {
        return wrong_answer("keys for other groups");
    }
    for (const auto& [group, key] : secrets.keys) {
        const TenantKey agreed =
            derive_tenant_key(secrets.contribution, *contribution_, tenant_, group);
        if (!core::equal_in_constant_time(agreed.reveal(), key.reveal())) {
            return Error{
                ErrorCode::kForged,
                "the proxy handed over another key than was agreed: do not trust this proxy"};
        }
    }
    const Enrolment trial{
        tenant_,
        *proxy_identity_,
        duplicate_keys(secrets.keys),
        keyring,
        {0, *proxy_identity_},
        {},
        0};
    return check_keys(trial);
}

Result<void> TenantBootstrap::accept_handover(
    std::string_view reply, const TenantIdentity& identity
) {
    auto handover = verify_handover(reply, core::VerifyingKey(*proxy_identity_));
    if (!handover.has_value()) {
        return handover.error();
    }
    if (handover->tenant != tenant_ || handover->contribution != request_hash()) {
        return wrong_answer("a handover for another contribution");
    }
    auto secrets = open_handover(handover->sealed, identity.sealing, tenant_);
    if (!secrets.has_value()) {
        return secrets.error();
    }
    const auto checked = check_handover(*secrets, handover->keyring);
    if (!checked.has_value()) {
        return checked;
    }
    const auto handover_hash = core::jws_hash(reply);
    core::invariant(handover_hash.has_value(), "a verified JWS has a hash");
    const Confirmation confirmation{
        tenant_, *handover_hash, confirmation_mac(secrets->keys, tenant_, *handover_hash)};
    request_ = sign_confirmation(confirmation, identity.signing);
    keys_ = std::move(secrets->keys);
    keyring_ = std::move(handover->keyring);
    contribution_.reset();
    stage_ = Stage::kConfirm;
    return {};
}

Result<void> TenantBootstrap::accept_close(std::string_view reply) {
    const auto receipt =
        verify_receipt_of(reply, request_, core::VerifyingKey(*proxy_identity_), tenant_);
    if (!receipt.has_value()) {
        return receipt.error();
    }
    if (receipt->sequence != 0 || receipt->outcome != Outcome::kApplied ||
        receipt->keyring != keyring_) {
        return wrong_answer("a close receipt with another keyring");
    }
    const auto hash = core::jws_hash(reply);
    core::invariant(hash.has_value(), "a verified JWS has a hash");
    enrolment_ = Enrolment{
        tenant_,
        *proxy_identity_,
        duplicate_keys(keys_),
        keyring_,
        receipt->next_command_key,
        {0, *hash},
        receipt->store_version};
    keys_.clear();
    request_.clear();
    stage_ = Stage::kDone;
    return {};
}

Enrolment TenantBootstrap::take_enrolment() {
    core::invariant(
        enrolment_.has_value(), "the enrolment is taken once, after the bootstrap is done"
    );
    Enrolment taken = *std::move(enrolment_);
    enrolment_.reset();
    return taken;
}

bool TenantBootstrap::holds_what_its_stage_needs() const {
    switch (stage_) {
        case Stage::kHello: return core::jws_hash(request_).has_value();
        case Stage::kContribute:
            return proxy_identity_.has_value() && contribution_.has_value() &&
                   core::jws_hash(request_).has_value();
        case Stage::kConfirm: return proxy_identity_.has_value() && !request_.empty();
        case Stage::kDone: return enrolment_.has_value();
    }
    return false;
}

core::SecretBytes TenantBootstrap::save() const {
    FieldWriter writer(kFormat);
    writer.u32(static_cast<std::uint32_t>(stage_)).text(tenant_);
    writer.u32(static_cast<std::uint32_t>(groups_.size()));
    for (const std::string& group : groups_) {
        writer.text(group);
    }
    writer.text(request_).bytes(commitment_).text(serialize(keyring_));
    writer.bytes(proxy_identity_ ? proxy_identity_->bytes() : core::ByteView());
    writer.bytes(contribution_ ? core::ByteView(contribution_->reveal()) : core::ByteView());
    for (const auto& [group, key] : keys_) {
        writer.bytes(key.reveal());
    }
    writer.bytes(enrolment_ ? serialize(*enrolment_).reveal() : core::ByteView());
    return std::move(writer).finish();
}

Result<TenantBootstrap> TenantBootstrap::restore(core::ByteView saved) {
    const Error malformed{
        ErrorCode::kMalformed, "the saved bootstrap has a form this program does not know"};
    FieldReader reader(saved, kFormat);
    TenantBootstrap run;
    const std::uint32_t stage = reader.u32();
    run.stage_ = static_cast<Stage>(stage);
    run.tenant_ = reader.plain_name();
    for (std::uint32_t left = reader.group_count(); left > 0 && !reader.failed(); --left) {
        run.groups_.push_back(reader.group_name());
    }
    run.request_ = reader.text();
    run.commitment_ = reader.digest();
    auto keyring = parse_keyring(reader.text());
    run.proxy_identity_ = reader.optional_point();
    run.contribution_ = reader.optional_secret<TenantContribution>();
    if (run.stage_ == Stage::kConfirm) {
        for (const std::string& group : run.groups_) {
            run.keys_.push_back({group, reader.secret<TenantKey>()});
        }
    }
    const core::ByteView enrolment_bytes = reader.bytes();
    if (!reader.ok() || !keyring.has_value() || stage < 1 || stage > 4) {
        return malformed;
    }
    run.keyring_ = *std::move(keyring);
    if (!enrolment_bytes.empty()) {
        auto enrolment = parse_enrolment(enrolment_bytes);
        if (!enrolment.has_value()) {
            return enrolment.error();
        }
        run.enrolment_ = *std::move(enrolment);
    }
    return run.holds_what_its_stage_needs() ? Result<TenantBootstrap>(std::move(run)) : malformed;
}

}  // namespace pgveil::share
