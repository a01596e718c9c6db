#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/quorum/group.hpp"
#include "keyshare/user/error.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace pgveil::envelope {

using user::Result;

/// Any two of three open a file.
inline constexpr std::uint32_t kThreshold = 2;
inline constexpr std::uint32_t kMembers = 3;

/// What one member of a group keeps. Secret, move-only.
struct Membership {
    quorum::KeyShare share;
    quorum::MemberKey key;
};

core::SecretBytes serialize(const Membership& membership);
/// Fails for anything else, and for a member that is not one of this group and epoch.
Result<Membership> parse_membership(core::ByteView bytes, const quorum::Group& group);

/// A new group, or the same one at its next epoch: members 1 to 3 in this order.
struct Founding {
    quorum::Group group;
    std::vector<Membership> members;
};

/// Makes a group by distributed key generation: nobody computes the private key, and every share is
/// checked. All three members run in this process, so its memory sees three shares for a moment.
Result<Founding> found_group();

/// New shares of the same key for all three, from two old ones or more: old shares combine with no
/// new one. For when a password is lost, or a share may have been seen.
Result<Founding> renew_group(
    const quorum::Group& group, std::span<const Membership* const> present
);

}  // namespace pgveil::envelope
