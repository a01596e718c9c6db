#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/curve.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/secret.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>

namespace pgveil::quorum {

inline constexpr std::size_t kCompressedSize = 33;

/// SEC 1, compressed: 0x02 or 0x03, then X.
using CompressedPoint = std::array<std::uint8_t, kCompressedSize>;

CompressedPoint compressed(const core::PublicPoint& point);
/// Empty for anything that is no compressed point of P-256; infinity has no such form.
std::optional<core::PublicPoint> decompressed(core::ByteView bytes);
/// The 65 bytes of the uncompressed form; empty for anything else.
std::optional<core::PublicPoint> parse_point(core::ByteView bytes);

/// Sums and products modulo the order, and of points: values from libcrypto's own arithmetic. What
/// takes a number takes one from 0 to the order minus 1.
///
/// Numbers lie in secure memory and are wiped with their owner; products with secret numbers take
/// time that does not depend on them, except that leading zero words (2^-64) show, as everywhere in
/// libcrypto. One thread at a time.
class Curve {
public:
    Curve();

    /// From 1 to the order minus 1.
    core::Bignum random() const;
    /// Of exactly 32 bytes, big endian; null for another size or when not below the order.
    core::Bignum read(core::ByteView bytes) const;
    core::Bignum small(std::uint32_t value) const;
    /// Any number of bytes, big endian, modulo the order.
    core::Bignum reduce(core::ByteView bytes) const;
    core::Scalar write(const core::Bignum& number) const;

    core::Bignum add(const core::Bignum& left, const core::Bignum& right) const;
    core::Bignum multiply(const core::Bignum& left, const core::Bignum& right) const;
    /// Of public numbers: their time shows. Not of 0 (invariant) for the inverse.
    core::Bignum negative_of_public(const core::Bignum& number) const;
    core::Bignum inverse_of_public(const core::Bignum& number) const;

    core::CurvePoint infinity() const;
    core::CurvePoint point(const core::PublicPoint& point) const;
    /// Of a secret point's 33 bytes; null when they are none.
    core::CurvePoint secret_point(core::ByteView compressed) const;
    core::CurvePoint of_base(const core::Bignum& number) const;
    core::CurvePoint times(const core::CurvePoint& point, const core::Bignum& number) const;
    /// By a small public number: its time shows.
    core::CurvePoint times_small(const core::CurvePoint& point, std::uint32_t number) const;
    core::CurvePoint sum(const core::CurvePoint& left, const core::CurvePoint& right) const;

    bool same(const core::CurvePoint& left, const core::CurvePoint& right) const;
    bool is_infinity(const core::CurvePoint& point) const;

    /// Empty for infinity.
    std::optional<core::PublicPoint> publish(const core::CurvePoint& point) const;
    /// The compressed form into 33 bytes (invariant), for points that stay secret; not infinity
    /// (invariant).
    void write_secret(const core::CurvePoint& point, core::MutableByteView out) const;

private:
    core::BignumContext context_;
};

/// COCKTAIL's HashToScalar for P-256, over the parts one after the other.
core::Bignum hash_to_scalar(const Curve& curve, std::initializer_list<core::ByteView> parts);

}  // namespace pgveil::quorum
