#pragma once

#include "keyshare/attest/error.hpp"
#include "keyshare/attest/policy.hpp"
#include "keyshare/core/p256.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pgveil::attest {

/// A tenant's word that a proxy in this state may have its store key: what PolicyAuthorize takes
/// (TPM 2.0 Library, Part 3, section 23.16). Public.
struct Approval {
    Sha256Digest policy{};  ///< pcr_policy() of the state
    core::Signature signature{};
};

/// The key that approves, made from the tenant's signing key, which signs nothing but JWS. Always
/// the same for one signing key.
core::SigningKey approver_of(const core::SigningKey& tenant);

/// What approvals for this tenant's seal are for (the policyRef).
Sha256Digest seal_purpose(std::string_view tenant);

Approval approve(
    const core::SigningKey& approver, const Sha256Digest& policy, const Sha256Digest& purpose
);

/// Whether this key has signed it, for this purpose.
bool verify(
    const Approval& approval, const core::PublicPoint& approver, const Sha256Digest& purpose
);

/// One line of text: `pgvap1.` and base64url.
std::string to_text(const Approval& approval);
/// Strict. Never throws on any text.
Result<Approval> parse_approval(std::string_view text);

/// The content of a file of approvals: one a line; empty lines and those that begin with # say
/// nothing. An error names the line.
Result<std::vector<Approval>> parse_approvals(std::string_view text);

}  // namespace pgveil::attest
