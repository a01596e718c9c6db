#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/p256.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace pgveil::quorum {

inline constexpr std::size_t kSchnorrSize = 65;

/// R(33, compressed) || z(32): the signature scheme of COCKTAIL(P-256, SHA-256), which is neither
/// ECDSA nor BIP-340.
using SchnorrSignature = std::array<std::uint8_t, kSchnorrSize>;

/// Deterministic, so a lost signature is made again as it was. `key` is from 1 to the order minus 1
/// (invariant).
SchnorrSignature schnorr_sign(const core::Scalar& key, core::ByteView message);

/// False for any bytes that are no valid signature. Not in constant time: all inputs are public.
bool schnorr_verify(const core::PublicPoint& key, core::ByteView message, core::ByteView signature);

}  // namespace pgveil::quorum
