#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/p256.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace pgveil::quorum {

inline constexpr std::size_t kDleqProofSize = 64;

/// c || s, each 32 bytes big endian.
using DleqProof = std::array<std::uint8_t, kDleqProofSize>;

/// One claim of RFC 9497 section 2.2: log_G(key) = log_bases[i](results[i]) for every i. The lists
/// have the same length, 1 to 65535 (invariant). Results are compressed points, 33 bytes each, and
/// may be secret: no copy of them is left behind.
struct DleqClaim {
    const core::PublicPoint& key;
    std::span<const core::PublicPoint> bases;
    std::span<const core::ByteView> results;
};

/// GenerateProof for P-256 and SHA-256. `context` is RFC 9497's contextString, at most 200 bytes
/// (invariant): it goes into every hash. `secret` is the common logarithm and is not checked.
DleqProof prove_dleq(core::ByteView context, const core::Scalar& secret, const DleqClaim& claim);
/// The same with a given r, for the published vectors. Never use one r twice.
DleqProof prove_dleq(
    core::ByteView context,
    const core::Scalar& secret,
    const DleqClaim& claim,
    const core::Scalar& random
);

/// VerifyProof. False for any bytes that are no such proof, and for results that are no points.
bool verify_dleq(core::ByteView context, const DleqClaim& claim, core::ByteView proof);

}  // namespace pgveil::quorum
