#include "keyshare/quorum/points.hpp"

#include "keyshare/quorum/curve.hpp"
#include "keyshare/quorum/sharing.hpp"

#include <algorithm>

namespace pgveil::quorum {

core::Bytes joined_points(const std::vector<core::PublicPoint>& points) {
    core::Bytes out;
    for (const core::PublicPoint& point : points) {
        core::append(out, point.bytes());
    }
    return out;
}

std::optional<std::vector<core::PublicPoint>> split_points(core::ByteView bytes) {
    if (bytes.size() % core::kPointSize != 0 || bytes.size() > kMembersMax * core::kPointSize) {
        return std::nullopt;
    }
    std::vector<core::PublicPoint> out;
    for (; !bytes.empty(); bytes = bytes.subspan(core::kPointSize)) {
        const auto point = parse_point(bytes.first(core::kPointSize));
        if (!point.has_value()) {
            return std::nullopt;
        }
        out.push_back(*point);
    }
    return out;
}

bool are_distinct(const std::vector<core::PublicPoint>& points) {
    for (auto left = points.begin(); left != points.end(); ++left) {
        if (std::find(left + 1, points.end(), *left) != points.end()) {
            return false;
        }
    }
    return true;
}

std::uint32_t index_of(
    const std::vector<core::PublicPoint>& points, const core::PublicPoint& point
) {
    const auto found = std::ranges::find(points, point);
    return found == points.end() ? 0 : static_cast<std::uint32_t>(found - points.begin()) + 1;
}

bool session_fits(core::ByteView session) {
    constexpr std::size_t kLeast = 16;
    constexpr std::size_t kMost = 64;
    return session.size() >= kLeast && session.size() <= kMost;
}

bool size_fits(std::uint32_t threshold, std::size_t members) {
    return threshold >= 2 && threshold <= members && members <= kMembersMax;
}

bool no_share_is_zero(const Group& group) {
    const Curve curve;
    for (std::uint32_t index = 1; index <= group.size(); ++index) {
        if (curve.is_infinity(commitment_at(curve, group.commitment, index))) {
            return false;
        }
    }
    return true;
}

}  // namespace pgveil::quorum
