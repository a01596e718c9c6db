#include "keyshare/share/bootstrap_secrets.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/hmac.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/share/binary_fields.hpp"

#include <utility>

namespace pgveil::share {
namespace {

constexpr std::string_view kHandoverFormat = "pgveil/1 handover secrets";

core::Bytes info_of(std::string_view purpose, std::string_view tenant) {
    return core::length_prefixed(
        {core::as_bytes(purpose), core::as_bytes(tenant), core::big_endian32(0)}
    );
}

}  // namespace

Digest contribution_commitment(std::string_view tenant, const ProxyContribution& contribution) {
    const core::SecretBytes opening = core::secret_length_prefixed(
        {core::as_bytes("pgveil/1 contribution"), core::as_bytes(tenant), contribution.reveal()}
    );
    return core::sha256(opening.reveal());
}

TenantKey derive_tenant_key(
    const ProxyContribution& proxy,
    const TenantContribution& tenant,
    std::string_view tenant_name,
    std::string_view group
) {
    const core::SecretBytes both = core::secret_length_prefixed({proxy.reveal(), tenant.reveal()});
    const core::Bytes info = core::length_prefixed(
        {core::as_bytes("pgveil/1 tk"),
         core::as_bytes(tenant_name),
         core::as_bytes(group),
         core::big_endian32(kFirstEpoch)}
    );
    return core::derive<TenantKey>(both.reveal(), info);
}

Digest confirmation_mac(
    const GroupParts<TenantKey>& keys, std::string_view tenant, const Digest& handover
) {
    core::SecretBytes all;
    for (const auto& [group, key] : keys) {
        all.append(key.reveal());
    }
    const core::SecretBytes mac_key = core::hkdf_sha256(
        all.reveal(),
        core::length_prefixed({core::as_bytes("pgveil/1 confirm"), core::as_bytes(tenant)})
    );
    return core::hmac_sha256(
        mac_key.reveal(), core::length_prefixed({core::as_bytes(tenant), handover})
    );
}

core::Bytes seal_contribution(
    const TenantContribution& contribution, const core::PublicPoint& key, std::string_view tenant
) {
    return core::hpke_seal(
        key, info_of("pgveil/1 contribution", tenant), {}, contribution.reveal()
    );
}

Result<TenantContribution> open_contribution(
    core::ByteView sealed, const core::HpkeKeyPair& key, std::string_view tenant
) {
    auto opened = core::hpke_open(key, info_of("pgveil/1 contribution", tenant), {}, sealed);
    if (opened.has_value()) {
        auto contribution = TenantContribution::from(*std::move(opened));
        if (contribution.has_value()) {
            return *std::move(contribution);
        }
    }
    return Error{
        ErrorCode::kForged, "the sealed part of the contribution does not open at this proxy"};
}

core::Bytes seal_handover(
    const HandoverSecrets& secrets, const core::PublicPoint& key, std::string_view tenant
) {
    FieldWriter writer(kHandoverFormat);
    writer.bytes(secrets.contribution.reveal()).parts(secrets.keys);
    const core::SecretBytes plain = std::move(writer).finish();
    return core::hpke_seal(key, info_of("pgveil/1 handover", tenant), {}, plain.reveal());
}

Result<HandoverSecrets> open_handover(
    core::ByteView sealed, const core::HpkeKeyPair& key, std::string_view tenant
) {
    const auto opened = core::hpke_open(key, info_of("pgveil/1 handover", tenant), {}, sealed);
    if (!opened.has_value()) {
        return Error{
            ErrorCode::kForged,
            "the sealed part of the handover does not open with the tenant's key"};
    }
    FieldReader reader(opened->reveal(), kHandoverFormat);
    auto contribution = reader.secret<ProxyContribution>();
    auto keys = reader.parts<TenantKey>();
    if (!reader.ok()) {
        return Error{ErrorCode::kMalformed, "the handover has a form this program does not know"};
    }
    return HandoverSecrets{std::move(contribution), std::move(keys)};
}

}  // namespace pgveil::share
