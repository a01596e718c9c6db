#include "keyshare/quorum/group.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/quorum/curve.hpp"
#include "keyshare/quorum/points.hpp"
#include "keyshare/quorum/sharing.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace pgveil::quorum {
namespace {

using core::as_bytes;
using core::Bytes;
using core::ByteView;

constexpr std::string_view kGroup = "pgveil/1 quorum group";
constexpr std::string_view kShare = "pgveil/1 quorum share";

Error malformed_group(const std::string& what) {
    return {ErrorCode::kMalformed, "not " + what, {}};
}

}  // namespace

core::PublicPoint Group::verification_share(std::uint32_t index) const {
    core::invariant(index >= 1 && index <= members.size(), "members are numbered from 1");
    const Curve curve;
    const auto point = curve.publish(commitment_at(curve, commitment, index));
    core::invariant(point.has_value(), "a group has no member whose share is 0");
    return *point;
}

Bytes serialize(const Group& group) {
    return core::length_prefixed(
        {as_bytes(kGroup),
         group.id,
         core::big_endian32(group.epoch),
         core::big_endian32(group.threshold),
         joined_points(group.members),
         joined_points(group.commitment)}
    );
}

Result<Group> parse_group(ByteView bytes) {
    const auto parts = core::split_length_prefixed(bytes, 6);
    if (!parts.has_value() || !std::ranges::equal((*parts)[0], as_bytes(kGroup)) ||
        (*parts)[1].size() != core::kSha256Size || (*parts)[2].size() != kWordSize ||
        (*parts)[3].size() != kWordSize) {
        return malformed_group("a group");
    }
    auto members = split_points((*parts)[4]);
    auto commitment = split_points((*parts)[5]);
    if (!members.has_value() || !commitment.has_value()) {
        return malformed_group("a group");
    }
    Group out{
        {},
        core::read_big_endian32((*parts)[2]),
        core::read_big_endian32((*parts)[3]),
        *std::move(members),
        *std::move(commitment)};
    std::ranges::copy((*parts)[1], out.id.begin());
    if (!size_fits(out.threshold, out.members.size()) || !are_distinct(out.members) ||
        out.commitment.size() != out.threshold || !no_share_is_zero(out)) {
        return malformed_group("a group");
    }
    return out;
}

core::Sha256Digest digest_of(const Group& group) {
    return core::sha256(serialize(group));
}

core::SecretBytes serialize(const KeyShare& share) {
    return core::secret_length_prefixed(
        {as_bytes(kShare),
         share.group,
         core::big_endian32(share.epoch),
         core::big_endian32(share.index),
         share.scalar.reveal()}
    );
}

Result<KeyShare> parse_key_share(ByteView bytes) {
    const auto parts = core::split_length_prefixed(bytes, 5);
    if (!parts.has_value() || !std::ranges::equal((*parts)[0], as_bytes(kShare)) ||
        (*parts)[1].size() != core::kSha256Size || (*parts)[2].size() != kWordSize ||
        (*parts)[3].size() != kWordSize) {
        return malformed_group("a key share");
    }
    auto scalar = core::Scalar::from((*parts)[4]);
    if (!scalar.has_value() || core::scalar_number(*scalar) == nullptr) {
        return malformed_group("a key share");
    }
    KeyShare out{
        {},
        core::read_big_endian32((*parts)[2]),
        core::read_big_endian32((*parts)[3]),
        *std::move(scalar)};
    std::ranges::copy((*parts)[1], out.group.begin());
    if (out.index == 0 || out.index > kMembersMax) {
        return malformed_group("a key share");
    }
    return out;
}

bool belongs_to(const KeyShare& share, const Group& group) {
    if (share.group != group.id || share.epoch != group.epoch || share.index == 0 ||
        share.index > group.size()) {
        return false;
    }
    const auto point = core::PublicPoint::of_scalar(share.scalar);
    return point.has_value() && *point == group.verification_share(share.index);
}

MemberKey::MemberKey(core::Scalar scalar, core::PublicPoint point)
    : scalar_(std::move(scalar)), point_(point) {}

MemberKey MemberKey::generate() {
    auto made = from_scalar(core::generate_scalar());
    core::invariant(made.has_value(), "a generated scalar is in range");
    return *std::move(made);
}

Result<MemberKey> MemberKey::from_scalar(core::Scalar scalar) {
    const auto point = core::PublicPoint::of_scalar(scalar);
    if (!point.has_value()) {
        return Error{ErrorCode::kInvalidArgument, point.error().message, {}};
    }
    return MemberKey(std::move(scalar), *point);
}

}  // namespace pgveil::quorum
