#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/secret.hpp"

#include <span>

namespace pgveil::core {

/// HMAC-SHA256 (RFC 2104), any key size including none. Compare results with
/// equal_in_constant_time() only.
Sha256Digest hmac_sha256(ByteView key, ByteView message);
/// The same where the result itself is a secret (SCRAM keys, chained derivation): 32 bytes.
SecretBytes secret_hmac_sha256(ByteView key, ByteView message);
/// The same of a message in parts, into 32 bytes (invariant) that may be none of the parts'.
void secret_hmac_sha256(ByteView key, std::span<const ByteView> message, MutableByteView out);

}  // namespace pgveil::core
