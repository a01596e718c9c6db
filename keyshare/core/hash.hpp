#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace pgveil::core {

inline constexpr std::size_t kSha256Size = 32;
using Sha256Digest = std::array<std::uint8_t, kSha256Size>;

/// SHA-256 (FIPS 180-4). The result is public; for a secret result use secret_sha256().
Sha256Digest sha256(ByteView message);
/// Of the parts one after the other, without separators: the caller makes them unambiguous
/// (lp.hpp).
Sha256Digest sha256(std::initializer_list<ByteView> parts);
SecretBytes secret_sha256(ByteView message);

}  // namespace pgveil::core
