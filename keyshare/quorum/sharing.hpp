#pragma once

#include "keyshare/core/curve.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/quorum/curve.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace pgveil::quorum {

/// Secret coefficients, the constant first. Feldman's verifiable sharing over P-256.
using Polynomial = std::vector<core::Bignum>;

/// `threshold` random coefficients, none of them 0.
Polynomial random_polynomial(const Curve& curve, std::uint32_t threshold);
/// The same with a given constant.
Polynomial random_polynomial(const Curve& curve, core::Bignum constant, std::uint32_t threshold);

/// Each coefficient times G; no coefficient is 0 (invariant).
std::vector<core::PublicPoint> commitment_to(const Curve& curve, const Polynomial& polynomial);

core::Bignum value_at(const Curve& curve, const Polynomial& polynomial, std::uint32_t index);
/// value_at() times G, from the commitment.
core::CurvePoint commitment_at(
    const Curve& curve, std::span<const core::PublicPoint> commitment, std::uint32_t index
);

/// Lagrange's factor of `index` for the value at 0 over distinct `indices` (invariant). Public.
core::Bignum lagrange_factor(
    const Curve& curve, std::span<const std::uint32_t> indices, std::uint32_t index
);

/// Coefficient by coefficient, `weights` times `commitments`, all of one length; empty when a sum
/// is infinity. No weights: each counts once.
std::optional<std::vector<core::PublicPoint>> sum_of_commitments(
    const Curve& curve,
    std::span<const std::vector<core::PublicPoint>> commitments,
    std::span<const core::Bignum> weights
);

}  // namespace pgveil::quorum
