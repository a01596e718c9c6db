#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hpke.hpp"
#include "keyshare/core/jws.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/key_kinds.hpp"
#include "keyshare/share/keyring.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The messages of the bootstrap (CRYPTO.md section 4.2). Six compact JWS, each naming the hash of
/// the one before:
///
///     tenant                                       proxy
///     hello         {keys, groups}            →
///                                             ←    offer        {identity, contribution key,
///                                             commitment to r_P}
///     contribution  {r_T sealed}              →
///                                             ←    handover     {r_P and TK sealed to the tenant,
///                                             keyring}
///     confirmation  {MAC under TK}            →
///                                             ←    close receipt (receipt.hpp, sequence 0)
///
/// A tenant that has keys already, because its proxy was lost, says in place of the contribution
///
///     adoption      {keyring}                 →
///                                             ←    close receipt (receipt.hpp, sequence 0)
///
/// TK of a group = HKDF(LP(r_P, r_T), LP("pgveil/1 tk", tenant, group, TK epoch)).
namespace pgveil::share {

struct Hello {
    std::string tenant;
    core::PublicPoint signing;  ///< tenant's ES256 public key; signs this very message
    core::PublicPoint sealing;  ///< tenant's HPKE public key
    std::vector<std::string> groups;
};

std::string sign_hello(const Hello& hello, const core::SigningKey& tenant_key);
/// Verifies with the key inside: proves possession, not whose key it is.
Result<Hello> verify_hello(std::string_view jws);

struct Offer {
    std::string tenant;
    Digest hello{};
    core::PublicPoint identity;          ///< P's identity public key; signs this message
    core::PublicPoint contribution_key;  ///< HPKE public key for r_T
    Digest commitment{};                 ///< SHA-256(LP("pgveil/1 contribution", tenant, r_P))
};

std::string sign_offer(const Offer& offer, const core::SigningKey& identity);
/// Verifies with the identity inside; that it is P's is known from the channel
/// (SCRAM-SHA-256-PLUS).
Result<Offer> verify_offer(std::string_view jws);

struct ContributionMessage {
    std::string tenant;
    Digest offer{};
    core::Bytes sealed;  ///< r_T by HPKE, info LP("pgveil/1 contribution", tenant, u32 0)
};

std::string sign_contribution(
    const ContributionMessage& message, const core::SigningKey& tenant_key
);
Result<ContributionMessage> verify_contribution(
    std::string_view jws, const core::VerifyingKey& tenant_key
);

struct Handover {
    std::string tenant;
    Digest contribution{};
    core::Bytes
        sealed;  ///< LP(r_P, group, TK, ...) by HPKE, info LP("pgveil/1 handover", tenant, u32 0)
    Keyring keyring;
};

std::string sign_handover(const Handover& message, const core::SigningKey& identity);
Result<Handover> verify_handover(std::string_view jws, const core::VerifyingKey& identity);

struct Confirmation {
    std::string tenant;
    Digest handover{};
    Digest mac{};
};

std::string sign_confirmation(const Confirmation& message, const core::SigningKey& tenant_key);
Result<Confirmation> verify_confirmation(
    std::string_view jws, const core::VerifyingKey& tenant_key
);

struct Adoption {
    std::string tenant;
    Digest offer{};
    Keyring keyring;  ///< what P is to go on with: every row of the tenant's
};

std::string sign_adoption(const Adoption& message, const core::SigningKey& tenant_key);
Result<Adoption> verify_adoption(std::string_view jws, const core::VerifyingKey& tenant_key);

}  // namespace pgveil::share
