#include "keyshare/quorum/curve.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/core/invariant.hpp"
#include "keyshare/core/libcrypto.hpp"

#include <openssl/bn.h>
#include <openssl/ec.h>

#include <algorithm>
#include <bit>

namespace pgveil::quorum {
namespace {

using core::Bignum;
using core::BignumContext;
using core::ByteView;
using core::CurvePoint;
using core::invariant;
using core::must;
using core::p256_group;
using core::PublicPoint;

constexpr std::size_t kExpandedSize = 48;

Bignum new_number() {
    Bignum number(BN_secure_new());
    invariant(number != nullptr, "there is memory for a number");
    BN_set_flags(number.get(), BN_FLG_CONSTTIME);
    return number;
}

CurvePoint new_point() {
    CurvePoint point(EC_POINT_new(p256_group()));
    invariant(point != nullptr, "there is memory for a point");
    return point;
}

const BIGNUM* order() {
    return EC_GROUP_get0_order(p256_group());
}

CurvePoint point_of(ByteView bytes) {
    CurvePoint point = new_point();
    // This checks the coordinates against the field and the point against the curve.
    const bool read = core::succeeded(
        EC_POINT_oct2point(p256_group(), point.get(), bytes.data(), bytes.size(), nullptr)
    );
    return read ? std::move(point) : CurvePoint();
}

}  // namespace

CompressedPoint compressed(const PublicPoint& point) {
    const ByteView bytes = point.bytes();
    CompressedPoint out{};
    out.front() = static_cast<std::uint8_t>(0x02U | (bytes.back() & 1U));
    std::copy_n(bytes.begin() + 1, kCompressedSize - 1, out.begin() + 1);
    return out;
}

std::optional<PublicPoint> decompressed(ByteView bytes) {
    if (bytes.size() != kCompressedSize) {
        return std::nullopt;
    }
    const CurvePoint point = point_of(bytes);
    return point == nullptr ? std::nullopt : Curve().publish(point);
}

std::optional<PublicPoint> parse_point(ByteView bytes) {
    auto point = PublicPoint::parse(bytes);
    return point.has_value() ? std::optional(*point) : std::nullopt;
}

Curve::Curve() : context_(BN_CTX_secure_new()) {
    invariant(context_ != nullptr, "there is memory for arithmetic");
}

// One object is all the arithmetic; which of it needs scratch space is libcrypto's affair.
// NOLINTBEGIN(readability-convert-member-functions-to-static)

Bignum Curve::random() const {
    return core::scalar_number(core::generate_scalar());
}

Bignum Curve::read(ByteView bytes) const {
    if (bytes.size() != core::kScalarSize) {
        return {};
    }
    Bignum number = new_number();
    invariant(
        BN_bin2bn(bytes.data(), core::int_size(bytes.size()), number.get()) != nullptr,
        "32 bytes are a number"
    );
    return BN_cmp(number.get(), order()) < 0 ? std::move(number) : Bignum();
}

Bignum Curve::small(std::uint32_t value) const {
    Bignum number = new_number();
    must(BN_set_word(number.get(), value), "a word is a number");
    return number;
}

Bignum Curve::reduce(ByteView bytes) const {
    const Bignum wide = new_number();
    invariant(
        BN_bin2bn(core::pointer_of(bytes), core::int_size(bytes.size()), wide.get()) != nullptr,
        "bytes are a number"
    );
    Bignum out = new_number();
    must(BN_nnmod(out.get(), wide.get(), order(), context_.get()), "a number is reduced");
    return out;
}

core::Scalar Curve::write(const Bignum& number) const {
    core::Scalar out;
    invariant(
        BN_bn2binpad(number.get(), out.reveal_mutable().data(), core::kScalarSize) ==
            core::kScalarSize,
        "a reduced number has 32 bytes"
    );
    return out;
}

Bignum Curve::add(const Bignum& left, const Bignum& right) const {
    Bignum out = new_number();
    must(BN_mod_add_quick(out.get(), left.get(), right.get(), order()), "numbers are added");
    return out;
}

// BN_mod_mul divides; Montgomery's product of two full numbers takes the same time for all of them.
Bignum Curve::multiply(const Bignum& left, const Bignum& right) const {
    BN_MONT_CTX* montgomery = EC_GROUP_get_mont_data(p256_group());
    invariant(montgomery != nullptr, "P-256 has Montgomery's form of its order");
    const Bignum raised = new_number();
    must(
        BN_to_montgomery(raised.get(), left.get(), montgomery, context_.get()),
        "a number has a Montgomery form"
    );
    Bignum out = new_number();
    must(
        BN_mod_mul_montgomery(out.get(), raised.get(), right.get(), montgomery, context_.get()),
        "numbers are multiplied"
    );
    return out;
}

Bignum Curve::negative_of_public(const Bignum& number) const {
    Bignum out = new_number();
    const Bignum zero = new_number();
    must(BN_mod_sub_quick(out.get(), zero.get(), number.get(), order()), "a number is negated");
    return out;
}

Bignum Curve::inverse_of_public(const Bignum& number) const {
    Bignum out = new_number();
    invariant(
        BN_mod_inverse(out.get(), number.get(), order(), context_.get()) != nullptr,
        "only 0 has no inverse"
    );
    return out;
}

CurvePoint Curve::infinity() const {
    CurvePoint out = new_point();
    must(EC_POINT_set_to_infinity(p256_group(), out.get()), "infinity is a point");
    return out;
}

CurvePoint Curve::point(const PublicPoint& point) const {
    CurvePoint out = point_of(point.bytes());
    invariant(out != nullptr, "a checked point is on the curve");
    return out;
}

CurvePoint Curve::secret_point(ByteView compressed) const {
    return compressed.size() == kCompressedSize ? point_of(compressed) : CurvePoint();
}

// One number at a time: libcrypto multiplies by two in time that depends on them.
CurvePoint Curve::of_base(const Bignum& number) const {
    CurvePoint out = new_point();
    must(
        EC_POINT_mul(p256_group(), out.get(), number.get(), nullptr, nullptr, context_.get()),
        "the base point is multiplied"
    );
    return out;
}

CurvePoint Curve::times(const CurvePoint& point, const Bignum& number) const {
    CurvePoint out = new_point();
    must(
        EC_POINT_mul(p256_group(), out.get(), nullptr, point.get(), number.get(), context_.get()),
        "a point is multiplied"
    );
    return out;
}

CurvePoint Curve::times_small(const CurvePoint& point, std::uint32_t number) const {
    CurvePoint out = infinity();
    for (std::uint32_t bit = std::bit_floor(number); bit != 0; bit >>= 1U) {
        must(
            EC_POINT_dbl(p256_group(), out.get(), out.get(), context_.get()), "a point is doubled"
        );
        if ((number & bit) != 0) {
            out = sum(out, point);
        }
    }
    return out;
}

CurvePoint Curve::sum(const CurvePoint& left, const CurvePoint& right) const {
    CurvePoint out = new_point();
    must(
        EC_POINT_add(p256_group(), out.get(), left.get(), right.get(), context_.get()),
        "points are added"
    );
    return out;
}

bool Curve::same(const CurvePoint& left, const CurvePoint& right) const {
    const int answer = EC_POINT_cmp(p256_group(), left.get(), right.get(), context_.get());
    invariant(answer >= 0, "points are compared");
    return answer == 0;
}

bool Curve::is_infinity(const CurvePoint& point) const {
    return EC_POINT_is_at_infinity(p256_group(), point.get()) == 1;
}

std::optional<PublicPoint> Curve::publish(const CurvePoint& point) const {
    if (is_infinity(point)) {
        return std::nullopt;
    }
    std::array<std::uint8_t, core::kPointSize> bytes{};
    const std::size_t size = EC_POINT_point2oct(
        p256_group(),
        point.get(),
        POINT_CONVERSION_UNCOMPRESSED,
        bytes.data(),
        bytes.size(),
        context_.get()
    );
    invariant(size == bytes.size(), "a point that is not infinity has 65 bytes");
    return parse_point(bytes);
}

void Curve::write_secret(const CurvePoint& point, core::MutableByteView out) const {
    invariant(out.size() == kCompressedSize, "a compressed point has 33 bytes");
    const std::size_t size = EC_POINT_point2oct(
        p256_group(),
        point.get(),
        POINT_CONVERSION_COMPRESSED,
        out.data(),
        out.size(),
        context_.get()
    );
    invariant(size == kCompressedSize, "a point that is not infinity has 33 bytes");
}

// NOLINTEND(readability-convert-member-functions-to-static)

Bignum hash_to_scalar(const Curve& curve, std::initializer_list<ByteView> parts) {
    std::size_t size = 1;
    for (const ByteView part : parts) {
        size += part.size();
    }
    // The parts may hold a private key.
    core::SecretBytes message(1);
    message.reserve(size);
    for (const ByteView part : parts) {
        message.append(part);
    }
    core::SecretBytes expanded;
    expanded.reserve(2 * core::kSha256Size);
    for (const std::uint8_t counter : {std::uint8_t{1}, std::uint8_t{2}}) {
        message.reveal_mutable().front() = counter;
        expanded.append(core::secret_sha256(message.reveal()).reveal());
    }
    return curve.reduce(expanded.reveal().first(kExpandedSize));
}

}  // namespace pgveil::quorum
