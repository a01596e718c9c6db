#include "keyshare/quorum/dealing.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/core/invariant.hpp"
#include "keyshare/core/xaes.hpp"
#include "keyshare/quorum/little_endian.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace pgveil::quorum {
namespace {

using core::as_bytes;
using core::Bignum;
using core::Bytes;
using core::ByteView;
using core::SecretBytes;

constexpr std::string_view kKeyPrefix = "COCKTAIL-DKG-P256-SHA256-H6";
constexpr std::size_t kFrameHeaderSize = 8;

Error malformed_dealing() {
    return {
        ErrorCode::kMalformed,
        "not a dealing: points of the threshold's number, a proof, a point and a sealed share for "
        "each member are expected",
        {}};
}

struct ShareSeal {
    SecretBytes key;
    core::XaesNonce nonce{};
};

// H6 with derive_extra(context, label).
SecretBytes derive_share_key(
    const SharePlace& place, const SharedPoints& shared, std::string_view label
) {
    const auto context_size = little_endian64(place.context.size());
    const auto label_size = little_endian64(label.size());
    const auto extra_size = little_endian64(
        context_size.size() + place.context.size() + label_size.size() + label.size()
    );
    SecretBytes message;
    message.reserve(512);
    message.append(as_bytes(kKeyPrefix));
    message.append(shared.ephemeral.reveal());
    message.append(shared.lasting.reveal());
    message.append(compressed(place.head.ephemeral));
    message.append(compressed(place.sender));
    message.append(compressed(place.recipient));
    message.append(extra_size);
    message.append(context_size);
    message.append(place.context);
    message.append(label_size);
    message.append(as_bytes(label));
    return core::secret_sha256(message.reveal());
}

ShareSeal share_seal(const SharePlace& place, const SharedPoints& shared) {
    ShareSeal out{derive_share_key(place, shared, "key"), {}};
    const SecretBytes nonce = derive_share_key(place, shared, "nonce");
    const ByteView bytes = nonce.reveal().first(out.nonce.size());
    std::copy(bytes.begin(), bytes.end(), out.nonce.begin());
    return out;
}

Bytes possession_message(ByteView context, const DealingHead& head) {
    Bytes out = core::to_bytes(context);
    for (const core::PublicPoint& point : head.commitment) {
        core::append(out, compressed(point));
    }
    core::append(out, compressed(head.ephemeral));
    return out;
}

DealingHead head_of(
    const Curve& curve, ByteView context, const Polynomial& polynomial, const Bignum& ephemeral
) {
    const auto point = curve.publish(curve.of_base(ephemeral));
    core::invariant(point.has_value(), "an ephemeral key is not 0");
    DealingHead head{commitment_to(curve, polynomial), {}, *point};
    head.proof = schnorr_sign(curve.write(polynomial.front()), possession_message(context, head));
    return head;
}

Bytes seal_share(
    const SharePlace& place, const SharedPoints& shared, const core::Scalar& value, ByteView payload
) {
    SecretBytes plaintext;
    plaintext.reserve(core::kScalarSize + payload.size());
    plaintext.append(value.reveal());
    plaintext.append(payload);
    const ShareSeal seal = share_seal(place, shared);
    return core::Xaes256Gcm(seal.key.reveal()).seal(seal.nonce, {}, plaintext.reveal());
}

}  // namespace

void append_framed(Bytes& to, ByteView sealed_share) {
    core::append(to, core::big_endian64(sealed_share.size()));
    core::append(to, sealed_share);
}

std::optional<Bytes> take_framed(ByteView& rest) {
    if (rest.size() < kFrameHeaderSize) {
        return std::nullopt;
    }
    const std::uint64_t size = core::read_big_endian64(rest);
    const ByteView behind = rest.subspan(kFrameHeaderSize);
    if (size < kSealedShareMin || size > kSealedShareMax || size > behind.size()) {
        return std::nullopt;
    }
    rest = behind.subspan(size);
    return core::to_bytes(behind.first(size));
}

Bytes serialize(const Dealing& dealing) {
    Bytes out;
    for (const core::PublicPoint& point : dealing.head.commitment) {
        core::append(out, compressed(point));
    }
    core::append(out, dealing.head.proof);
    core::append(out, compressed(dealing.head.ephemeral));
    for (const Bytes& sealed : dealing.sealed_shares) {
        append_framed(out, sealed);
    }
    return out;
}

Result<Dealing> parse_dealing(ByteView bytes, std::uint32_t threshold, std::uint32_t recipients) {
    const std::size_t points = threshold * kCompressedSize;
    if (bytes.size() < points + kSchnorrSize + kCompressedSize) {
        return malformed_dealing();
    }
    std::vector<core::PublicPoint> commitment;
    for (std::size_t at = 0; at < points; at += kCompressedSize) {
        const auto point = decompressed(bytes.subspan(at, kCompressedSize));
        if (!point.has_value()) {
            return malformed_dealing();
        }
        commitment.push_back(*point);
    }
    SchnorrSignature proof{};
    std::ranges::copy(bytes.subspan(points, kSchnorrSize), proof.begin());
    const auto ephemeral = decompressed(bytes.subspan(points + kSchnorrSize, kCompressedSize));
    if (!ephemeral.has_value()) {
        return malformed_dealing();
    }
    Dealing out{{std::move(commitment), proof, *ephemeral}, {}};
    ByteView rest = bytes.subspan(points + kSchnorrSize + kCompressedSize);
    for (std::uint32_t i = 0; i < recipients; ++i) {
        auto sealed = take_framed(rest);
        if (!sealed.has_value()) {
            return malformed_dealing();
        }
        out.sealed_shares.push_back(*std::move(sealed));
    }
    if (!rest.empty()) {
        return malformed_dealing();
    }
    return out;
}

std::size_t plain_dealing_size(std::uint32_t threshold, std::size_t recipients) {
    return threshold * kCompressedSize + kSchnorrSize + kCompressedSize +
           recipients * (kFrameHeaderSize + kSealedShareMin);
}

Dealing deal(
    const Recipients& recipients,
    const MemberKey& sender,
    const Polynomial& polynomial,
    const Bignum& ephemeral,
    std::span<const Bytes> payloads
) {
    const Curve curve;
    Dealing out{head_of(curve, recipients.context, polynomial, ephemeral), {}};
    const Bignum lasting = core::scalar_number(sender.scalar());
    std::uint32_t index = 0;
    for (const core::PublicPoint& recipient : recipients.keys) {
        ++index;
        const core::CurvePoint to = curve.point(recipient);
        SharedPoints shared;
        curve.write_secret(curve.times(to, ephemeral), shared.ephemeral.reveal_mutable());
        curve.write_secret(curve.times(to, lasting), shared.lasting.reveal_mutable());
        out.sealed_shares.push_back(seal_share(
            {recipients.context, out.head, sender.point(), recipient, index},
            shared,
            curve.write(value_at(curve, polynomial, index)),
            payloads.empty() ? ByteView() : ByteView(payloads[index - 1])
        ));
    }
    return out;
}

Dealing deal(const Recipients& recipients, const MemberKey& sender, const Polynomial& polynomial) {
    return deal(recipients, sender, polynomial, Curve().random());
}

bool possession_is_proven(ByteView context, const DealingHead& head) {
    return schnorr_verify(head.commitment.front(), possession_message(context, head), head.proof);
}

SharedPoints shared_points(
    const Curve& curve,
    const core::Scalar& mine,
    const core::PublicPoint& ephemeral,
    const core::PublicPoint& lasting
) {
    const Bignum number = core::scalar_number(mine);
    core::invariant(number != nullptr, "a member's key is in range");
    SharedPoints out;
    curve.write_secret(curve.times(curve.point(ephemeral), number), out.ephemeral.reveal_mutable());
    curve.write_secret(curve.times(curve.point(lasting), number), out.lasting.reveal_mutable());
    return out;
}

std::optional<ReceivedShare> open_share(
    const Curve& curve, const SharePlace& place, const SharedPoints& shared, ByteView sealed_share
) {
    const ShareSeal seal = share_seal(place, shared);
    const auto opened = core::Xaes256Gcm(seal.key.reveal()).open(seal.nonce, {}, sealed_share);
    if (!opened.has_value() || opened->size() < core::kScalarSize) {
        return std::nullopt;
    }
    Bignum value = curve.read(opened->reveal().first(core::kScalarSize));
    if (value == nullptr ||
        !curve.same(
            curve.of_base(value), commitment_at(curve, place.head.commitment, place.recipient_index)
        )) {
        return std::nullopt;
    }
    return ReceivedShare{
        std::move(value), SecretBytes::copy_of(opened->reveal().subspan(core::kScalarSize))};
}

std::optional<ReceivedShare> open_share(
    const Curve& curve, const SharePlace& place, const MemberKey& key, ByteView sealed_share
) {
    const SharedPoints shared =
        shared_points(curve, key.scalar(), place.head.ephemeral, place.sender);
    return open_share(curve, place, shared, sealed_share);
}

}  // namespace pgveil::quorum
