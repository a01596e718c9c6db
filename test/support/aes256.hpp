#pragma once

#include "keyshare/core/bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

/// AES-256 written down from FIPS 197, so that the tests know every byte that a correct
/// implementation holds in memory without asking the one under test. Slow and not constant-time.
namespace pgveil::support {

inline constexpr std::size_t kAesBlockSize = 16;
inline constexpr std::size_t kAes256Rounds = 14;

using AesBlock = std::array<std::uint8_t, kAesBlockSize>;
/// The first two are the key itself.
using RoundKeys = std::array<AesBlock, kAes256Rounds + 1>;

/// FIPS 197 section 5.2. `key` has 32 bytes (invariant).
RoundKeys expand_key(core::ByteView key);

/// FIPS 197 section 5.1.
AesBlock encrypt(const RoundKeys& keys, AesBlock block);

/// The AES-256-GCM key that XAES-256-GCM takes for this key (32 bytes) and the first 12 bytes of
/// the nonce (c2sp.org/XAES-256-GCM).
std::array<std::uint8_t, 32> xaes_derived_key(core::ByteView key, core::ByteView nonce);

}  // namespace pgveil::support
