#include "keyshare/quorum/dleq.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/core/invariant.hpp"
#include "keyshare/quorum/curve.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace pgveil::quorum {
namespace {

using core::Bignum;
using core::Bytes;
using core::ByteView;
using core::CurvePoint;
using core::invariant;

constexpr std::size_t kProofContextMax = 200;
constexpr std::size_t kProofTranscriptSize = 256;
constexpr std::size_t kFieldSize = 48;  // L of hash_to_field for P-256 (RFC 9380 section 8.2)

// I2OSP(len(part), 2) || part
void append_sized(core::SecretBytes& to, ByteView part) {
    to.append(core::big_endian16(static_cast<std::uint16_t>(part.size())));
    to.append(part);
}

Bytes tagged(std::string_view tag, ByteView context) {
    Bytes out = core::to_bytes(core::as_bytes(tag));
    core::append(out, context);
    return out;
}

// RFC 9380 section 5.3.1 with SHA-256, for at most 255 blocks; here two.
Bytes expand_message(ByteView message, ByteView tag, std::size_t size) {
    Bytes tag_prime = core::to_bytes(tag);
    tag_prime.push_back(static_cast<std::uint8_t>(tag.size()));
    const std::array<std::uint8_t, 64> zero_pad{};
    const auto length = core::big_endian16(static_cast<std::uint16_t>(size));
    const std::array<std::uint8_t, 1> none{};
    const core::Sha256Digest first = core::sha256({zero_pad, message, length, none, tag_prime});
    Bytes out;
    core::Sha256Digest block{};
    for (std::uint8_t counter = 1; out.size() < size; ++counter) {
        for (std::size_t i = 0; i < block.size(); ++i) {
            block.at(i) ^= first.at(i);
        }
        const std::array<std::uint8_t, 1> number{counter};
        block = core::sha256({block, number, tag_prime});
        core::append(out, block);
    }
    out.resize(size);
    return out;
}

// RFC 9497 section 4.3: HashToScalar of the suite P256-SHA256.
Bignum hash_to_field(const Curve& curve, ByteView message, ByteView context) {
    return curve.reduce(expand_message(message, tagged("HashToScalar-", context), kFieldSize));
}

CompressedPoint encoded(const Curve& curve, const CurvePoint& point) {
    const auto published = curve.publish(point);
    // Infinity: only for a claim or a proof made to have it, and then no challenge fits.
    return published.has_value() ? compressed(*published) : CompressedPoint{};
}

// The factors d_i of ComputeComposites.
std::vector<Bignum> factors(const Curve& curve, ByteView context, const DleqClaim& claim) {
    core::SecretBytes seed_transcript;
    append_sized(seed_transcript, compressed(claim.key));
    append_sized(seed_transcript, tagged("Seed-", context));
    const core::Sha256Digest seed = core::sha256(seed_transcript.reveal());
    std::vector<Bignum> out;
    out.reserve(claim.bases.size());
    for (std::size_t i = 0; i < claim.bases.size(); ++i) {
        core::SecretBytes transcript;
        transcript.reserve(kProofTranscriptSize);
        append_sized(transcript, seed);
        transcript.append(core::big_endian16(static_cast<std::uint16_t>(i)));
        append_sized(transcript, compressed(claim.bases[i]));
        append_sized(transcript, claim.results[i]);
        transcript.append(core::as_bytes("Composite"));
        out.push_back(hash_to_field(curve, transcript.reveal(), context));
    }
    return out;
}

CurvePoint sum_of_bases(
    const Curve& curve,
    std::span<const core::PublicPoint> points,
    const std::vector<Bignum>& weights
) {
    CurvePoint out = curve.times(curve.point(points.front()), weights.front());
    for (std::size_t i = 1; i < points.size(); ++i) {
        out = curve.sum(out, curve.times(curve.point(points[i]), weights[i]));
    }
    return out;
}

// Null when a result is no point.
CurvePoint sum_of_results(
    const Curve& curve, std::span<const ByteView> points, const std::vector<Bignum>& weights
) {
    CurvePoint out = curve.infinity();
    for (std::size_t i = 0; i < points.size(); ++i) {
        const CurvePoint point = curve.secret_point(points[i]);
        if (point == nullptr) {
            return {};
        }
        out = curve.sum(out, curve.times(point, weights[i]));
    }
    return out;
}

struct ProofPoints {
    const CurvePoint& bases;
    const CurvePoint& results;
    const CurvePoint& of_generator;
    const CurvePoint& of_bases;
};

Bignum challenge_of(
    const Curve& curve, ByteView context, const core::PublicPoint& key, const ProofPoints& points
) {
    core::SecretBytes transcript;
    transcript.reserve(kProofTranscriptSize);
    append_sized(transcript, compressed(key));
    for (const CurvePoint* point :
         {&points.bases, &points.results, &points.of_generator, &points.of_bases}) {
        append_sized(transcript, encoded(curve, *point));
    }
    transcript.append(core::as_bytes("Challenge"));
    return hash_to_field(curve, transcript.reveal(), context);
}

void check_sizes(ByteView context, const DleqClaim& claim) {
    invariant(context.size() <= kProofContextMax, "a proof's context is short");
    invariant(
        !claim.bases.empty() && claim.bases.size() == claim.results.size() &&
            claim.bases.size() <= std::numeric_limits<std::uint16_t>::max(),
        "a claim has as many results as bases"
    );
}

}  // namespace

DleqProof prove_dleq(ByteView context, const core::Scalar& secret, const DleqClaim& claim) {
    return prove_dleq(context, secret, claim, core::generate_scalar());
}

DleqProof prove_dleq(
    ByteView context, const core::Scalar& secret, const DleqClaim& claim, const core::Scalar& random
) {
    check_sizes(context, claim);
    const Curve curve;
    const Bignum key = core::scalar_number(secret);
    const Bignum nonce = core::scalar_number(random);
    invariant(key != nullptr && nonce != nullptr, "what proves is in range");
    const CurvePoint bases = sum_of_bases(curve, claim.bases, factors(curve, context, claim));
    const CurvePoint results = curve.times(bases, key);
    const CurvePoint of_generator = curve.of_base(nonce);
    const CurvePoint of_bases = curve.times(bases, nonce);
    const Bignum challenge =
        challenge_of(curve, context, claim.key, {bases, results, of_generator, of_bases});
    // s = r - c * k
    const core::Scalar response =
        curve.write(curve.add(nonce, curve.multiply(curve.negative_of_public(challenge), key)));
    const core::Scalar first = curve.write(challenge);
    DleqProof out{};
    const auto left = first.reveal();
    const auto right = response.reveal();
    std::copy(right.begin(), right.end(), std::copy(left.begin(), left.end(), out.begin()));
    return out;
}

bool verify_dleq(ByteView context, const DleqClaim& claim, ByteView proof) {
    check_sizes(context, claim);
    if (proof.size() != kDleqProofSize) {
        return false;
    }
    const Curve curve;
    const Bignum challenge = curve.read(proof.first(core::kScalarSize));
    const Bignum response = curve.read(proof.subspan(core::kScalarSize));
    if (challenge == nullptr || response == nullptr) {
        return false;
    }
    const std::vector<Bignum> weights = factors(curve, context, claim);
    const CurvePoint bases = sum_of_bases(curve, claim.bases, weights);
    const CurvePoint results = sum_of_results(curve, claim.results, weights);
    if (results == nullptr) {
        return false;
    }
    const CurvePoint of_generator =
        curve.sum(curve.of_base(response), curve.times(curve.point(claim.key), challenge));
    const CurvePoint of_bases =
        curve.sum(curve.times(bases, response), curve.times(results, challenge));
    const core::Scalar expected = curve.write(
        challenge_of(curve, context, claim.key, {bases, results, of_generator, of_bases})
    );
    return std::ranges::equal(expected.reveal(), proof.first(core::kScalarSize));
}

}  // namespace pgveil::quorum
