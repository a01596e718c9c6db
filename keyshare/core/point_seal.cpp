#include "keyshare/core/point_seal.hpp"

#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/core/xaes.hpp"

namespace pgveil::core {
namespace {

Bytes place_of(std::string_view title, const PointSealed& sealed) {
    return length_prefixed({as_bytes(title), sealed.key, sealed.point.bytes()});
}

}  // namespace

PointSealed seal_to_point(
    std::string_view title, const PublicPoint& key, ByteView content, RandomSource& random
) {
    const Scalar scalar = generate_scalar();
    const auto point = PublicPoint::of_scalar(scalar);
    const auto shared = ecdh_x(scalar, key);
    invariant(point.has_value() && shared.has_value(), "a fresh scalar is one");
    PointSealed out{key.fingerprint(), *point, {}};
    const Bytes place = place_of(title, out);
    const SecretBytes sealing = hkdf_sha256(shared->reveal(), place);
    out.sealed = xaes_seal(sealing.reveal(), place, content, random);
    return out;
}

Result<SecretBytes> open_agreed(
    std::string_view title, const PointSealed& sealed, ByteView agreed
) {
    const Bytes place = place_of(title, sealed);
    const SecretBytes sealing = hkdf_sha256(agreed, place);
    return xaes_open(sealing.reveal(), place, sealed.sealed);
}

}  // namespace pgveil::core
