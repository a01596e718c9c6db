#include "keyshare/share/tenant_adoption.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/core/jws.hpp"
#include "keyshare/share/binary_fields.hpp"
#include "keyshare/share/bootstrap_messages.hpp"
#include "keyshare/share/receipt.hpp"

#include <set>
#include <utility>
#include <vector>

namespace pgveil::share {
namespace {

constexpr std::string_view kAdoptionFormat = "pgveil/1 tenant adoption";

Error not_asked(std::string_view what) {
    return Error{
        ErrorCode::kOutOfOrder,
        "the proxy answered something else than was asked (" + std::string(what) +
            "); try again, and if it repeats do not trust this proxy"};
}

std::vector<std::string> groups_in(const Keyring& keyring) {
    std::set<std::string> groups;
    for (const KeyringRow& row : keyring.rows) {
        groups.insert(row.group);
    }
    return {groups.begin(), groups.end()};
}

bool is_message(const std::string& jws) {
    return core::jws_hash(jws).has_value();
}

}  // namespace

TenantAdoption TenantAdoption::begin(const Enrolment& taken, const TenantIdentity& identity) {
    TenantAdoption run;
    run.tenant_ = taken.tenant;
    const Hello hello{
        taken.tenant,
        identity.signing.verifying_key().point(),
        identity.sealing.point,
        groups_in(taken.keyring)};
    run.hello_ = sign_hello(hello, identity.signing);
    return run;
}

Result<void> TenantAdoption::accept_offer(
    std::string_view reply, const Enrolment& taken, const TenantIdentity& identity
) {
    const auto offer = verify_offer(reply);
    if (!offer.has_value()) {
        return offer.error();
    }
    const auto hello_hash = core::jws_hash(hello_);
    const auto offer_hash = core::jws_hash(reply);
    core::invariant(hello_hash.has_value() && offer_hash.has_value(), "both were verified before");
    if (offer->tenant != tenant_ || offer->hello != *hello_hash) {
        return not_asked("an offer for another hello");
    }
    if (offer->identity == taken.proxy_identity) {
        return Error{
            ErrorCode::kForeign,
            "this is the proxy that the home has pinned already: nothing is to be taken over"};
    }
    if (!request_.empty() && offer_ == *offer_hash) {
        return {};
    }
    request_ = sign_adoption(Adoption{tenant_, *offer_hash, taken.keyring}, identity.signing);
    offer_ = *offer_hash;
    proxy_identity_ = offer->identity;
    return {};
}

Result<void> TenantAdoption::accept_close(std::string_view reply, Enrolment& taken) {
    core::invariant(proxy_identity_.has_value(), "the offer came before the close receipt");
    const auto receipt =
        verify_receipt_of(reply, request_, core::VerifyingKey(*proxy_identity_), tenant_);
    if (!receipt.has_value()) {
        return receipt.error();
    }
    if (receipt->sequence != 0 || receipt->outcome != Outcome::kApplied ||
        receipt->keyring != taken.keyring) {
        return not_asked("a close receipt with another keyring");
    }
    const auto hash = core::jws_hash(reply);
    core::invariant(hash.has_value(), "a verified JWS has a hash");
    taken.proxy_identity = *proxy_identity_;
    taken.command_key = receipt->next_command_key;
    taken.head = {0, *hash};
    taken.store_version = receipt->store_version;
    done_ = true;
    return {};
}

core::SecretBytes TenantAdoption::save() const {
    FieldWriter writer(kAdoptionFormat);
    writer.text(tenant_)
        .text(hello_)
        .text(request_)
        .bytes(offer_)
        .bytes(proxy_identity_ ? proxy_identity_->bytes() : core::ByteView())
        .u32(done_ ? 1 : 0);
    return std::move(writer).finish();
}

Result<TenantAdoption> TenantAdoption::restore(core::ByteView saved) {
    FieldReader reader(saved, kAdoptionFormat);
    TenantAdoption run;
    run.tenant_ = reader.plain_name();
    run.hello_ = reader.text();
    run.request_ = reader.text();
    run.offer_ = reader.digest();
    run.proxy_identity_ = reader.optional_point();
    run.done_ = reader.u32() == 1;
    const bool has_offer = run.proxy_identity_.has_value();
    const bool fits = is_message(run.hello_) && has_offer == !run.request_.empty() &&
                      (!has_offer || is_message(run.request_)) && (has_offer || !run.done_);
    if (!reader.ok() || !fits) {
        return Error{
            ErrorCode::kMalformed, "the saved adoption has a form this program does not know"};
    }
    return run;
}

}  // namespace pgveil::share
