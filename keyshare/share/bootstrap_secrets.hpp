#pragma once

#include "keyshare/core/hpke.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/key_kinds.hpp"

#include <string_view>
#include <vector>

/// The secrets that the bootstrap messages carry, and what is computed from them.
namespace pgveil::share {

/// SHA-256(LP("pgveil/1 contribution", tenant, r_P)): P is bound to r_P before it sees r_T.
Digest contribution_commitment(std::string_view tenant, const ProxyContribution& contribution);

/// HKDF(LP(r_P, r_T), LP("pgveil/1 tk", tenant, group, TK epoch 1)): neither side alone chooses it.
TenantKey derive_tenant_key(
    const ProxyContribution& proxy,
    const TenantContribution& tenant,
    std::string_view tenant_name,
    std::string_view group
);

/// HMAC-SHA-256 under HKDF(all TKs in order of their groups, LP("pgveil/1 confirm", tenant)), over
/// LP(tenant, hash of the handover).
Digest confirmation_mac(
    const GroupParts<TenantKey>& keys, std::string_view tenant, const Digest& handover
);

/// r_T by HPKE, info LP("pgveil/1 contribution", tenant, u32 0).
core::Bytes seal_contribution(
    const TenantContribution& contribution, const core::PublicPoint& key, std::string_view tenant
);
Result<TenantContribution> open_contribution(
    core::ByteView sealed, const core::HpkeKeyPair& key, std::string_view tenant
);

/// What P hands over: its own contribution, so that the tenant can check that TK is what was
/// agreed, and TK.
struct HandoverSecrets {
    ProxyContribution contribution;
    GroupParts<TenantKey> keys;
};

/// By HPKE to the tenant's sealing key, info LP("pgveil/1 handover", tenant, u32 0).
core::Bytes seal_handover(
    const HandoverSecrets& secrets, const core::PublicPoint& key, std::string_view tenant
);
Result<HandoverSecrets> open_handover(
    core::ByteView sealed, const core::HpkeKeyPair& key, std::string_view tenant
);

}  // namespace pgveil::share
