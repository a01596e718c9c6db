#include "keyshare/core/p256.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/curve.hpp"
#include "keyshare/core/libcrypto.hpp"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>

#include <algorithm>

namespace pgveil::core {
namespace {

constexpr std::uint8_t kUncompressed = 0x04;

Error not_a_point() {
    return {
        ErrorCode::kKey,
        "not a P-256 public key: 65 bytes, 0x04 then X then Y of a point on the curve, are "
        "expected"};
}

Error not_a_scalar() {
    return {
        ErrorCode::kKey, "not a P-256 private key: it is zero or not below the order of the curve"};
}

BignumContext bignum_context() {
    BignumContext context(BN_CTX_secure_new());
    invariant(context != nullptr, "there is memory for arithmetic");
    return context;
}

CurvePoint new_point() {
    CurvePoint point(EC_POINT_new(p256_group()));
    invariant(point != nullptr, "there is memory for a curve point");
    return point;
}

std::array<std::uint8_t, kPointSize> encoded(const EC_POINT* point, BN_CTX* context) {
    std::array<std::uint8_t, kPointSize> out{};
    const std::size_t size = EC_POINT_point2oct(
        p256_group(), point, POINT_CONVERSION_UNCOMPRESSED, out.data(), out.size(), context
    );
    invariant(size == kPointSize, "a P-256 point that is not infinity has 65 bytes");
    return out;
}

}  // namespace

void FreeCurve::operator()(bignum_st* number) const noexcept {
    BN_clear_free(number);
}

void FreeCurve::operator()(bignum_ctx* context) const noexcept {
    BN_CTX_free(context);
}

void FreeCurve::operator()(ec_point_st* point) const noexcept {
    EC_POINT_clear_free(point);
}

const EC_GROUP* p256_group() {
    static const EC_GROUP* const group = [] {
        EC_GROUP* made = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
        invariant(made != nullptr, "libcrypto has P-256");
        return made;
    }();
    return group;
}

Bignum scalar_number(const Scalar& scalar) {
    Bignum number(BN_secure_new());
    invariant(number != nullptr, "there is memory for a scalar");
    BN_set_flags(number.get(), BN_FLG_CONSTTIME);
    const auto bytes = scalar.reveal();
    invariant(BN_bin2bn(bytes.data(), kScalarSize, number.get()) != nullptr, "a scalar is read");
    const bool in_range = BN_is_zero(number.get()) == 0 &&
                          BN_cmp(number.get(), EC_GROUP_get0_order(p256_group())) < 0;
    return in_range ? std::move(number) : Bignum();
}

Result<PublicPoint> PublicPoint::parse(ByteView bytes) {
    if (bytes.size() != kPointSize || bytes.front() != kUncompressed) {
        return not_a_point();
    }
    const CurvePoint point = new_point();
    // This checks both coordinates against the field and the point against the curve.
    if (!succeeded(
            EC_POINT_oct2point(p256_group(), point.get(), bytes.data(), bytes.size(), nullptr)
        )) {
        return not_a_point();
    }
    std::array<std::uint8_t, kPointSize> copy{};
    std::copy(bytes.begin(), bytes.end(), copy.begin());
    return PublicPoint(copy);
}

Result<PublicPoint> PublicPoint::from_text(std::string_view text) {
    const auto bytes = base64url_decode(text);
    return bytes.has_value() ? parse(*bytes) : not_a_point();
}

Result<PublicPoint> PublicPoint::of_scalar(const Scalar& scalar) {
    const Bignum number = scalar_number(scalar);
    if (number == nullptr) {
        return not_a_scalar();
    }
    const BignumContext context = bignum_context();
    const CurvePoint point = new_point();
    must(
        EC_POINT_mul(p256_group(), point.get(), number.get(), nullptr, nullptr, context.get()),
        "the base point is multiplied"
    );
    return PublicPoint(encoded(point.get(), context.get()));
}

std::string PublicPoint::text() const {
    return base64url_encode(bytes_);
}

Sha256Digest PublicPoint::fingerprint() const {
    return sha256(bytes_);
}

std::string PublicPoint::fingerprint_text() const {
    return base64url_encode(fingerprint());
}

Scalar generate_scalar() {
    Scalar scalar;
    do {
        const auto bytes = scalar.reveal_mutable();
        must(RAND_priv_bytes(bytes.data(), kScalarSize), "libcrypto's random generator works");
    } while (scalar_number(scalar) == nullptr);
    return scalar;
}

Result<SecretBytes> ecdh_x(const Scalar& scalar, const PublicPoint& point) {
    const Bignum number = scalar_number(scalar);
    if (number == nullptr) {
        return not_a_scalar();
    }
    const BignumContext context = bignum_context();
    const CurvePoint peer = new_point();
    const ByteView bytes = point.bytes();
    must(
        EC_POINT_oct2point(p256_group(), peer.get(), bytes.data(), bytes.size(), context.get()),
        "a checked point is on the curve"
    );
    const CurvePoint product = new_point();
    must(
        EC_POINT_mul(p256_group(), product.get(), nullptr, peer.get(), number.get(), context.get()),
        "a point is multiplied"
    );
    const Bignum coordinate(BN_secure_new());
    invariant(coordinate != nullptr, "there is memory for a coordinate");
    must(
        EC_POINT_get_affine_coordinates(
            p256_group(), product.get(), coordinate.get(), nullptr, context.get()
        ),
        "the product is not infinity: the order is prime"
    );
    SecretBytes out(kScalarSize);
    invariant(
        BN_bn2binpad(coordinate.get(), out.reveal_mutable().data(), kScalarSize) == kScalarSize,
        "a coordinate has 32 bytes"
    );
    return out;
}

}  // namespace pgveil::core
