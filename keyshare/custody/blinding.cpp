#include "keyshare/custody/blinding.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/quorum/curve.hpp"

#include <optional>
#include <utility>

namespace pgveil::custody {

Blinding blind(const core::PublicPoint& point) {
    const quorum::Curve curve;
    while (true) {
        const core::Bignum factor = curve.random();
        const auto blinded = curve.publish(curve.sum(curve.point(point), curve.of_base(factor)));
        if (blinded) {  // all but once in 2^256 times
            return {*blinded, curve.write(factor)};
        }
    }
}

quorum::SecretPoint unblind(
    const quorum::Group& group, const Blinding& blinding, const quorum::SecretPoint& answer
) {
    const quorum::Curve curve;
    const core::Bignum minus_one = curve.negative_of_public(curve.small(1));
    const core::Bignum factor = curve.read(blinding.factor.reveal());
    const core::CurvePoint point = curve.secret_point(answer.reveal());
    core::invariant(factor != nullptr && point != nullptr, "a blinding and an answer are readable");
    const core::CurvePoint excess =
        curve.times(curve.point(group.public_key()), curve.multiply(factor, minus_one));
    quorum::SecretPoint result;
    curve.write_secret(curve.sum(point, excess), result.reveal_mutable());
    return result;
}

}  // namespace pgveil::custody
