#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/p256.hpp"

namespace pgveil::core {

/// VerifyingKey::verify() for somebody who has the message's SHA-256 only, not the message: ES256
/// signs that (FIPS 186-4 section 6.4).
bool verify_digest(const PublicPoint& key, const Sha256Digest& digest, ByteView signature);

}  // namespace pgveil::core
