#pragma once

#include "keyshare/attest/public_area.hpp"
#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/p256.hpp"

#include <cstdint>
#include <map>
#include <set>

// What a TPM computes when a policy is satisfied, without a TPM (TPM 2.0 Library, Part 3, section
// 23): so that the tenant can say beforehand what may be released.
namespace pgveil::attest {

using core::Sha256Digest;

inline constexpr std::uint32_t kPcrCount = 24;

/// Registers of the SHA-256 bank, each below kPcrCount.
using PcrSelection = std::set<std::uint32_t>;
using PcrValues = std::map<std::uint32_t, Sha256Digest>;

PcrSelection selection_of(const PcrValues& values);

/// TPML_PCR_SELECTION for one bank.
core::Bytes selection_bytes(const PcrSelection& selection);

/// SHA-256 of the values one after the other, in ascending order of their numbers.
Sha256Digest digest_of(const PcrValues& values);

/// PolicyPCR from an empty policy.
Sha256Digest pcr_policy(const PcrValues& values);

/// PolicyAuthorize: whatever this key has approved for this purpose.
Sha256Digest approved_policy(const core::PublicPoint& approver, const Sha256Digest& purpose);

/// `policy`, and PolicyNV: the counter has not passed `generation`.
Sha256Digest not_after(
    const Sha256Digest& policy, std::uint32_t counter_index, std::uint64_t generation
);

}  // namespace pgveil::attest
