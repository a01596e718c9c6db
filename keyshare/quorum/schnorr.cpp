#include "keyshare/quorum/schnorr.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/quorum/curve.hpp"

#include <algorithm>
#include <string_view>

namespace pgveil::quorum {
namespace {

using core::as_bytes;
using core::ByteView;

constexpr std::string_view kChallenge = "COCKTAIL-DKG-P256-SHA256-H7";
constexpr std::string_view kNonce = "COCKTAIL-DKG-P256-SHA256-NONCE";

}  // namespace

SchnorrSignature schnorr_sign(const core::Scalar& key, ByteView message) {
    const Curve curve;
    const core::Bignum secret = core::scalar_number(key);
    core::invariant(secret != nullptr, "a key that signs is in range");
    const auto own = curve.publish(curve.of_base(secret));
    const core::Bignum nonce = hash_to_scalar(curve, {as_bytes(kNonce), key.reveal(), message});
    const auto commitment = curve.publish(curve.of_base(nonce));
    core::invariant(own.has_value() && commitment.has_value(), "a hash is not 0 by chance");

    const CompressedPoint first = compressed(*commitment);
    const core::Bignum challenge =
        hash_to_scalar(curve, {as_bytes(kChallenge), first, compressed(*own), message});
    const core::Scalar response = curve.write(curve.add(nonce, curve.multiply(challenge, secret)));
    SchnorrSignature out{};
    const auto at = std::copy(first.begin(), first.end(), out.begin());
    const auto bytes = response.reveal();
    std::copy(bytes.begin(), bytes.end(), at);
    return out;
}

bool schnorr_verify(const core::PublicPoint& key, ByteView message, ByteView signature) {
    if (signature.size() != kSchnorrSize) {
        return false;
    }
    const Curve curve;
    const core::CurvePoint commitment = curve.secret_point(signature.first(kCompressedSize));
    const core::Bignum response = curve.read(signature.subspan(kCompressedSize));
    if (commitment == nullptr || response == nullptr) {
        return false;
    }
    const core::Bignum challenge = hash_to_scalar(
        curve, {as_bytes(kChallenge), signature.first(kCompressedSize), compressed(key), message}
    );
    const core::CurvePoint claimed =
        curve.sum(commitment, curve.times(curve.point(key), challenge));
    return curve.same(curve.of_base(response), claimed);
}

}  // namespace pgveil::quorum
