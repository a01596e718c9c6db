#include "keyshare/quorum/exchange.hpp"

#include "keyshare/core/lp.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/quorum/curve.hpp"
#include "keyshare/quorum/points.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace pgveil::quorum {
namespace {

using core::as_bytes;
using core::Bytes;
using core::ByteView;

constexpr std::string_view kRequest = "pgveil/1 partial request";

Error malformed_request() {
    return {ErrorCode::kMalformed, "not a request for a partial", {}};
}

bool is_plain(std::string_view text) {
    return !text.empty() && text.size() <= kRequestTextMax &&
           std::ranges::all_of(text, [](char letter) { return letter >= ' ' && letter <= '~'; });
}

core::Sha256Digest request_digest(const PartialRequest& request) {
    return core::sha256(serialize(request));
}

Bytes seal_info(ByteView request, std::uint32_t index) {
    return core::length_prefixed(
        {as_bytes("pgveil/1 partial answer"), request, core::big_endian32(index)}
    );
}

Bytes signed_words(ByteView request, const Participation& participation) {
    return core::length_prefixed(
        {as_bytes("pgveil/1 participation"),
         request,
         core::big_endian32(participation.index),
         participation.partial}
    );
}

Error not_an_answer(std::uint32_t index, const char* why) {
    return {ErrorCode::kCheating, "member " + std::to_string(index) + ": " + why, {index}};
}

bool is_of(const Group& group, const PartialRequest& request) {
    return request.group == group.id && request.epoch == group.epoch;
}

}  // namespace

Bytes serialize(const PartialRequest& request) {
    return core::length_prefixed(
        {as_bytes(kRequest),
         request.group,
         core::big_endian32(request.epoch),
         request.point.bytes(),
         as_bytes(request.requester),
         as_bytes(request.purpose),
         request.id,
         request.reply_key.bytes()}
    );
}

Result<PartialRequest> parse_request(ByteView bytes) {
    const auto parts = core::split_length_prefixed(bytes, 8);
    if (!parts.has_value() || !std::ranges::equal((*parts)[0], as_bytes(kRequest)) ||
        (*parts)[1].size() != core::kSha256Size || (*parts)[2].size() != kWordSize) {
        return malformed_request();
    }
    const auto point = parse_point((*parts)[3]);
    const auto reply_key = parse_point((*parts)[7]);
    if (!point.has_value() || !reply_key.has_value()) {
        return malformed_request();
    }
    PartialRequest out{
        {},
        core::read_big_endian32((*parts)[2]),
        *point,
        std::string(core::as_text((*parts)[4])),
        std::string(core::as_text((*parts)[5])),
        {},
        *reply_key};
    if (!is_plain(out.requester) || !is_plain(out.purpose) || (*parts)[6].size() != out.id.size()) {
        return malformed_request();
    }
    std::ranges::copy((*parts)[1], out.group.begin());
    std::ranges::copy((*parts)[6], out.id.begin());
    return out;
}

Result<OpenRequest> ask(
    const Group& group, const core::PublicPoint& point, std::string requester, std::string purpose
) {
    if (!is_plain(requester) || !is_plain(purpose)) {
        return Error{
            ErrorCode::kInvalidArgument,
            "requester and purpose are 1 to 200 printable ASCII characters each",
            {}};
    }
    core::HpkeKeyPair reply = core::HpkeKeyPair::generate();
    PartialRequest request{
        group.id, group.epoch, point, std::move(requester), std::move(purpose), {}, reply.point};
    core::system_random().fill(request.id);
    return OpenRequest{std::move(request), std::move(reply)};
}

Result<Bytes> answer(
    const Group& group, const KeyShare& share, const MemberKey& key, const PartialRequest& request
) {
    if (!is_of(group, request) || share.index == 0 || share.index > group.size() ||
        group.members[share.index - 1] != key.point()) {
        return Error{ErrorCode::kForeign, "request, share, key and group are not of one epoch", {}};
    }
    const core::Sha256Digest digest = request_digest(request);
    const auto partial = make_partial(group, share, request.point, digest);
    if (!partial.has_value()) {
        return partial.error();
    }
    core::SecretBytes plaintext = serialize(*partial);
    const Participation participation{share.index, core::sha256(plaintext.reveal()), {}};
    plaintext.append(schnorr_sign(key.scalar(), signed_words(digest, participation)));
    return core::hpke_seal(
        request.reply_key, seal_info(digest, share.index), {}, plaintext.reveal()
    );
}

Result<Answer> open_answer(
    const Group& group, const OpenRequest& asked, std::uint32_t index, ByteView sealed
) {
    if (index == 0 || index > group.size() || !is_of(group, asked.request)) {
        return Error{ErrorCode::kForeign, "no such member, or another group or epoch", {}};
    }
    const core::Sha256Digest digest = request_digest(asked.request);
    const auto opened = core::hpke_open(asked.reply_key, seal_info(digest, index), {}, sealed);
    if (!opened.has_value() || opened->size() != kPartialSize + kSchnorrSize) {
        return not_an_answer(index, "its answer does not open");
    }
    auto partial = parse_partial(opened->reveal().first(kPartialSize));
    if (!partial.has_value() || partial->index != index) {
        return not_an_answer(index, "its answer holds no partial of its own");
    }
    Participation participation{index, core::sha256(opened->reveal().first(kPartialSize)), {}};
    std::ranges::copy(opened->reveal().subspan(kPartialSize), participation.signature.begin());
    if (!took_part(group, asked.request, participation)) {
        return not_an_answer(index, "its answer is not signed by it");
    }
    if (!partial_holds(group, asked.request.point, digest, *partial)) {
        return not_an_answer(index, "the proof of its partial does not hold");
    }
    return Answer{*std::move(partial), participation};
}

bool took_part(
    const Group& group, const PartialRequest& request, const Participation& participation
) {
    return is_of(group, request) && participation.index >= 1 &&
           participation.index <= group.size() &&
           schnorr_verify(
               group.members[participation.index - 1],
               signed_words(request_digest(request), participation),
               participation.signature
           );
}

Result<SecretPoint> combine(
    const Group& group, const PartialRequest& request, std::span<const Answer> answers
) {
    std::vector<Partial> partials;
    partials.reserve(answers.size());
    for (const Answer& one : answers) {
        partials.push_back({one.partial.index, one.partial.value.duplicate(), one.partial.proof});
    }
    return combine(group, request.point, request_digest(request), partials);
}

}  // namespace pgveil::quorum
