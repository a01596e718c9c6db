#pragma once

#include "keyshare/attest/exchange.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/user/error.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace pgveil::tenant {

using user::Result;

struct HomeState;

/// How long the evidence of a proxy lets the tenant bootstrap it or renew its shares.
inline constexpr std::int64_t kEvidenceValidS = 3600;

/// The TPM that this tenant's proxy must show, and what it showed.
struct Attestation {
    attest::TpmKeys keys;  ///< pinned
    attest::Sha256Digest
        identity{};                ///< fingerprint of the proxy's identity key, which was asked for
    attest::Sha256Digest nonce{};  ///< of the question that waits for its answer
    core::SecretBytes secret;      ///< of the same; empty: none waits
    std::optional<attest::Clock> clock;  ///< of the last evidence that was believed
    std::int64_t believed_at_s = 0;
};

/// Binary form for the home.
core::SecretBytes serialize(const Attestation& attestation);
/// Nothing: not of this version.
std::optional<Attestation> parse_attestation(core::ByteView bytes);

/// Whether this proxy may be bootstrapped, or given new shares, now: if a TPM is pinned, its
/// evidence must have been believed within kEvidenceValidS and be about this identity.
Result<void> check_attested(
    const HomeState& state, const attest::Sha256Digest& identity, std::int64_t now_s
);

}  // namespace pgveil::tenant
