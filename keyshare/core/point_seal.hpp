#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/error.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"

#include <string_view>

namespace pgveil::core {

/// Something sealed to a P-256 key whose holder gives agreements only, and never the key: a TPM. A
/// fresh point for each; whoever learns the key's agreement with that point opens this one.
struct PointSealed {
    Sha256Digest key{};  ///< fingerprint of the public key
    PublicPoint point;
    Bytes sealed;
};

/// With the public key alone, so that anybody can make one: it does not say who did. C = rG with a
/// fresh r; XAES-256-GCM under HKDF(X of rY, place), place = LP(title, key, C), which is the
/// associated data, too.
PointSealed seal_to_point(
    std::string_view title, const PublicPoint& key, ByteView content, RandomSource& random
);

/// `agreed`: the X coordinate of the private key times sealed.point, 32 bytes. kAuthentication for
/// another key or title, or if anything was altered.
Result<SecretBytes> open_agreed(std::string_view title, const PointSealed& sealed, ByteView agreed);

}  // namespace pgveil::core
