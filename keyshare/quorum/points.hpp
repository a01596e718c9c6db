#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/quorum/group.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace pgveil::quorum {

/// An integer inside a form, big endian.
inline constexpr std::size_t kWordSize = 4;

/// The 65 bytes of each, one after the other.
core::Bytes joined_points(const std::vector<core::PublicPoint>& points);
/// Empty for anything else, and for more than kMembersMax.
std::optional<std::vector<core::PublicPoint>> split_points(core::ByteView bytes);

bool are_distinct(const std::vector<core::PublicPoint>& points);
/// The place of `point`, counted from 1; 0 when it is not there.
std::uint32_t index_of(
    const std::vector<core::PublicPoint>& points, const core::PublicPoint& point
);

/// Fresh for each run: 16 to 64 bytes.
bool session_fits(core::ByteView session);

/// A threshold from 2 to the number of members, and at most kMembersMax of them.
bool size_fits(std::uint32_t threshold, std::size_t members);

/// True unless a commitment was made so that a member's share is 0.
bool no_share_is_zero(const Group& group);

}  // namespace pgveil::quorum
