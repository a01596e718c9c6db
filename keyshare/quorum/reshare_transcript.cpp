#include "keyshare/quorum/reshare_transcript.hpp"

#include "keyshare/core/lp.hpp"
#include "keyshare/quorum/dealing.hpp"
#include "keyshare/quorum/points.hpp"
#include "keyshare/quorum/reshare.hpp"
#include "keyshare/quorum/sharing.hpp"
#include "keyshare/quorum/signatures.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pgveil::quorum {
namespace {

using core::as_bytes;
using core::Bytes;
using core::ByteView;

constexpr std::string_view kReshareTranscript = "pgveil/1 reshare transcript";
constexpr std::string_view kReshareCertificate = "pgveil/1 reshare certificate";

Error malformed_reshare() {
    return {ErrorCode::kMalformed, "not a transcript of a reshare", {}};
}

std::optional<std::vector<std::uint32_t>> read_dealers(ByteView bytes) {
    std::vector<std::uint32_t> out;
    if (bytes.size() % kWordSize != 0 || bytes.size() > kWordSize * kMembersMax) {
        return std::nullopt;
    }
    for (; !bytes.empty(); bytes = bytes.subspan(kWordSize)) {
        const std::uint32_t dealer = core::read_big_endian32(bytes);
        if (dealer == 0 || (!out.empty() && dealer <= out.back())) {
            return std::nullopt;
        }
        out.push_back(dealer);
    }
    return out;
}

// A head is a dealing to nobody.
std::optional<std::vector<DealingHead>> read_heads(
    ByteView bytes, std::uint32_t threshold, std::size_t count
) {
    const std::size_t size = threshold * kCompressedSize + kSchnorrSize + kCompressedSize;
    if (bytes.size() != count * size) {
        return std::nullopt;
    }
    std::vector<DealingHead> out;
    for (; !bytes.empty(); bytes = bytes.subspan(size)) {
        auto dealing = parse_dealing(bytes.first(size), threshold, 0);
        if (!dealing.has_value()) {
            return std::nullopt;
        }
        out.push_back(std::move(dealing->head));
    }
    return out;
}

}  // namespace

Bytes serialize(const ReshareTranscript& transcript) {
    Bytes dealers;
    for (const std::uint32_t dealer : transcript.dealers) {
        core::append(dealers, core::big_endian32(dealer));
    }
    Bytes heads;
    for (const DealingHead& head : transcript.heads) {
        core::append(heads, serialize(Dealing{head, {}}));
    }
    return core::length_prefixed(
        {as_bytes(kReshareTranscript),
         transcript.from,
         transcript.context,
         core::big_endian32(transcript.threshold),
         joined_points(transcript.members),
         dealers,
         heads}
    );
}

Result<ReshareTranscript> parse_reshare_transcript(ByteView bytes) {
    const auto parts = core::split_length_prefixed(bytes, 7);
    if (!parts.has_value() || !std::ranges::equal((*parts)[0], as_bytes(kReshareTranscript)) ||
        (*parts)[1].size() != core::kSha256Size || (*parts)[2].size() != core::kSha256Size ||
        (*parts)[3].size() != kWordSize) {
        return malformed_reshare();
    }
    const std::uint32_t threshold = core::read_big_endian32((*parts)[3]);
    auto members = split_points((*parts)[4]);
    auto dealers = read_dealers((*parts)[5]);
    if (!members.has_value() || !dealers.has_value() || !size_fits(threshold, members->size()) ||
        !are_distinct(*members)) {
        return malformed_reshare();
    }
    auto heads = read_heads((*parts)[6], threshold, dealers->size());
    if (!heads.has_value()) {
        return malformed_reshare();
    }
    ReshareTranscript out{
        {},
        core::to_bytes((*parts)[2]),
        threshold,
        *std::move(members),
        *std::move(dealers),
        *std::move(heads)};
    std::ranges::copy((*parts)[1], out.from.begin());
    return out;
}

Result<Group> group_from(const Group& from, const ReshareTranscript& transcript) {
    if (transcript.dealers.size() < from.threshold) {
        return Error{
            ErrorCode::kTooFew,
            "dealings of " + std::to_string(transcript.dealers.size()) + " old members, and " +
                std::to_string(from.threshold) + " are needed",
            {}};
    }
    const Curve curve;
    std::vector<core::Bignum> weights;
    std::vector<std::vector<core::PublicPoint>> commitments;
    for (std::size_t i = 0; i < transcript.dealers.size(); ++i) {
        const std::uint32_t dealer = transcript.dealers[i];
        const DealingHead& head = transcript.heads[i];
        if (dealer > from.size() || head.commitment.front() != from.verification_share(dealer) ||
            !possession_is_proven(transcript.context, head)) {
            return Error{
                ErrorCode::kCheating,
                "member " + std::to_string(dealer) + ": it does not deal its share",
                {dealer}};
        }
        weights.push_back(lagrange_factor(curve, transcript.dealers, dealer));
        commitments.push_back(head.commitment);
    }
    auto commitment = sum_of_commitments(curve, commitments, weights);
    if (!commitment.has_value() || commitment->front() != from.public_key()) {
        return Error{
            ErrorCode::kInvalidArgument, "a sum is 0, or the key is another: start again", {}};
    }
    Group out{
        from.id, from.epoch + 1, transcript.threshold, transcript.members, *std::move(commitment)};
    if (!no_share_is_zero(out)) {
        return Error{ErrorCode::kInvalidArgument, "a new share is 0: start again", {}};
    }
    return out;
}

Bytes serialize(const ReshareCertificate& certificate) {
    return core::length_prefixed(
        {as_bytes(kReshareCertificate), certificate.transcript, joined(certificate.signatures)}
    );
}

Result<ReshareCertificate> parse_reshare_certificate(ByteView bytes) {
    const auto parts = core::split_length_prefixed(bytes, 3);
    if (!parts.has_value() || !std::ranges::equal((*parts)[0], as_bytes(kReshareCertificate))) {
        return Error{ErrorCode::kMalformed, "not a certificate of a reshare", {}};
    }
    const auto transcript = parse_reshare_transcript((*parts)[1]);
    if (!transcript.has_value()) {
        return transcript.error();
    }
    auto signatures = split_signatures((*parts)[2], transcript->members.size());
    if (!signatures.has_value()) {
        return signatures.error();
    }
    return ReshareCertificate{core::to_bytes((*parts)[1]), *std::move(signatures)};
}

}  // namespace pgveil::quorum
