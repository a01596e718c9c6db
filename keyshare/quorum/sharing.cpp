#include "keyshare/quorum/sharing.hpp"

#include "keyshare/core/invariant.hpp"

#include <utility>

namespace pgveil::quorum {

using core::Bignum;
using core::CurvePoint;
using core::invariant;
using core::PublicPoint;

Polynomial random_polynomial(const Curve& curve, std::uint32_t threshold) {
    return random_polynomial(curve, curve.random(), threshold);
}

Polynomial random_polynomial(const Curve& curve, Bignum constant, std::uint32_t threshold) {
    Polynomial out;
    out.push_back(std::move(constant));
    while (out.size() < threshold) {
        out.push_back(curve.random());
    }
    return out;
}

std::vector<PublicPoint> commitment_to(const Curve& curve, const Polynomial& polynomial) {
    std::vector<PublicPoint> out;
    out.reserve(polynomial.size());
    for (const Bignum& coefficient : polynomial) {
        const auto point = curve.publish(curve.of_base(coefficient));
        invariant(point.has_value(), "no coefficient is 0");
        out.push_back(*point);
    }
    return out;
}

Bignum value_at(const Curve& curve, const Polynomial& polynomial, std::uint32_t index) {
    const Bignum at = curve.small(index);
    Bignum out = curve.small(0);
    for (auto coefficient = polynomial.rbegin(); coefficient != polynomial.rend(); ++coefficient) {
        out = curve.add(curve.multiply(at, out), *coefficient);
    }
    return out;
}

CurvePoint commitment_at(
    const Curve& curve, std::span<const PublicPoint> commitment, std::uint32_t index
) {
    CurvePoint out = curve.point(commitment.back());
    for (std::size_t left = commitment.size() - 1; left > 0; --left) {
        out = curve.sum(curve.times_small(out, index), curve.point(commitment[left - 1]));
    }
    return out;
}

Bignum lagrange_factor(
    const Curve& curve, std::span<const std::uint32_t> indices, std::uint32_t index
) {
    Bignum above = curve.small(1);
    Bignum below = curve.small(1);
    const Bignum minus_own = curve.negative_of_public(curve.small(index));
    for (const std::uint32_t other : indices) {
        if (other != index) {
            const Bignum factor = curve.small(other);
            above = curve.multiply(above, factor);
            below = curve.multiply(below, curve.add(factor, minus_own));
        }
    }
    return curve.multiply(above, curve.inverse_of_public(below));
}

std::optional<std::vector<PublicPoint>> sum_of_commitments(
    const Curve& curve,
    std::span<const std::vector<PublicPoint>> commitments,
    std::span<const Bignum> weights
) {
    std::vector<PublicPoint> out;
    for (std::size_t k = 0; k < commitments.front().size(); ++k) {
        CurvePoint sum = curve.infinity();
        for (std::size_t j = 0; j < commitments.size(); ++j) {
            CurvePoint one = curve.point(commitments[j][k]);
            if (!weights.empty()) {
                one = curve.times(one, weights[j]);
            }
            sum = curve.sum(sum, one);
        }
        const auto point = curve.publish(sum);
        if (!point.has_value()) {
            return std::nullopt;
        }
        out.push_back(*point);
    }
    return out;
}

}  // namespace pgveil::quorum
