#include "keyshare/quorum/partial.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/core/invariant.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/quorum/curve.hpp"
#include "keyshare/quorum/sharing.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace pgveil::quorum {
namespace {

using core::as_bytes;
using core::Bytes;
using core::ByteView;
using core::CurvePoint;

constexpr std::size_t kIndexSize = 4;
constexpr std::size_t kValueSize = SecretPoint::kSize;

// RFC 9497's contextString: everything a proof is about that is no point of its claim.
Bytes proof_context(
    const Group& group, std::uint32_t index, const core::PublicPoint& point, ByteView context
) {
    const core::Sha256Digest digest = core::sha256(
        core::length_prefixed({digest_of(group), core::big_endian32(index), point.bytes(), context})
    );
    Bytes out = core::to_bytes(as_bytes("pgveil/1 partial "));
    core::append(out, digest);
    return out;
}

bool has_distinct_members(const Group& group, std::span<const Partial> partials) {
    std::vector<bool> seen(group.size() + 1);
    for (const Partial& partial : partials) {
        if (partial.index == 0 || partial.index > group.size() || seen[partial.index]) {
            return false;
        }
        seen[partial.index] = true;
    }
    return true;
}

SecretPoint interpolated(std::span<const Partial> partials) {
    const Curve curve;
    std::vector<std::uint32_t> indices;
    indices.reserve(partials.size());
    for (const Partial& partial : partials) {
        indices.push_back(partial.index);
    }
    CurvePoint sum = curve.infinity();
    for (const Partial& partial : partials) {
        const CurvePoint value = curve.secret_point(partial.value.reveal());
        sum = curve.sum(sum, curve.times(value, lagrange_factor(curve, indices, partial.index)));
    }
    SecretPoint out;
    curve.write_secret(sum, out.reveal_mutable());
    return out;
}

}  // namespace

core::SecretBytes serialize(const Partial& partial) {
    core::SecretBytes out;
    out.reserve(kPartialSize);
    out.append(core::big_endian32(partial.index));
    out.append(partial.value.reveal());
    out.append(partial.proof);
    return out;
}

Result<Partial> parse_partial(ByteView bytes) {
    if (bytes.size() != kPartialSize) {
        return Error{ErrorCode::kMalformed, "a partial has 101 bytes", {}};
    }
    auto value = SecretPoint::from(bytes.subspan(kIndexSize, kValueSize));
    Partial out{core::read_big_endian32(bytes), *std::move(value), {}};
    std::ranges::copy(bytes.subspan(kIndexSize + kValueSize), out.proof.begin());
    if (Curve().secret_point(out.value.reveal()) == nullptr) {
        return Error{ErrorCode::kMalformed, "a partial's value is no point", {}};
    }
    return out;
}

Result<Partial> make_partial(
    const Group& group, const KeyShare& share, const core::PublicPoint& point, ByteView context
) {
    const core::Bignum number = core::scalar_number(share.scalar);
    if (number == nullptr || share.group != group.id || share.epoch != group.epoch ||
        share.index == 0 || share.index > group.size()) {
        return Error{ErrorCode::kForeign, "this share is none of this group at this epoch", {}};
    }
    const Curve curve;
    Partial out{share.index, {}, {}};
    curve.write_secret(curve.times(curve.point(point), number), out.value.reveal_mutable());
    const auto own = curve.publish(curve.of_base(number));
    core::invariant(own.has_value(), "a share is not 0");
    const ByteView result = out.value.reveal();
    out.proof = prove_dleq(
        proof_context(group, share.index, point, context),
        share.scalar,
        {*own, {&point, 1}, {&result, 1}}
    );
    return out;
}

bool partial_holds(
    const Group& group, const core::PublicPoint& point, ByteView context, const Partial& partial
) {
    if (partial.index == 0 || partial.index > group.size()) {
        return false;
    }
    const ByteView value = partial.value.reveal();
    const core::PublicPoint key = group.verification_share(partial.index);
    return verify_dleq(
        proof_context(group, partial.index, point, context),
        {key, {&point, 1}, {&value, 1}},
        partial.proof
    );
}

Result<SecretPoint> combine(
    const Group& group,
    const core::PublicPoint& point,
    ByteView context,
    std::span<const Partial> partials
) {
    if (!has_distinct_members(group, partials)) {
        return Error{ErrorCode::kMalformed, "two partials of one member, or one of nobody", {}};
    }
    Error cheated{ErrorCode::kCheating, "the proof does not hold of the partial of member", {}};
    for (const Partial& partial : partials) {
        if (!partial_holds(group, point, context, partial)) {
            cheated.message += " " + std::to_string(partial.index);
            cheated.participants.push_back(partial.index);
        }
    }
    if (!cheated.participants.empty()) {
        std::ranges::sort(cheated.participants);
        return cheated;
    }
    if (partials.size() < group.threshold) {
        return Error{
            ErrorCode::kTooFew,
            "partials of " + std::to_string(partials.size()) + " members, and " +
                std::to_string(group.threshold) + " are needed",
            {}};
    }
    return interpolated(partials.first(group.threshold));
}

core::SecretBytes x_of(const SecretPoint& point) {
    return core::SecretBytes::copy_of(point.reveal().subspan(1));
}

Blinding blind(const core::PublicPoint& point) {
    const Curve curve;
    for (;;) {
        core::Bignum factor = curve.random();
        const auto blinded = curve.publish(curve.sum(curve.point(point), curve.of_base(factor)));
        if (blinded.has_value()) {
            return {curve.write(factor), *blinded};
        }
    }
}

Result<SecretPoint> unblind(
    const Group& group, const Blinding& blinding, const SecretPoint& combined
) {
    const Curve curve;
    const core::Bignum factor = core::scalar_number(blinding.factor);
    const CurvePoint value = curve.secret_point(combined.reveal());
    core::invariant(factor != nullptr && value != nullptr, "a blinding and its result are whole");
    // The public key's negative has the other y, so the factor need not be negated.
    const core::Bignum minus_one = curve.negative_of_public(curve.small(1));
    const CurvePoint minus_key = curve.times(curve.point(group.public_key()), minus_one);
    const CurvePoint result = curve.sum(value, curve.times(minus_key, factor));
    if (curve.is_infinity(result)) {
        return Error{ErrorCode::kInvalidArgument, "there is no key for the point itself", {}};
    }
    SecretPoint out;
    curve.write_secret(result, out.reveal_mutable());
    return out;
}

}  // namespace pgveil::quorum
