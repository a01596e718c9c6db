#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/quorum/group.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace pgveil::quorum {

inline constexpr std::size_t kPledgeSize = core::kSha256Size + 65;

/// What a member promises to reveal: digest(32) || signature(65).
core::Bytes make_pledge(
    core::ByteView context, std::uint32_t index, const MemberKey& key, core::ByteView dealing
);

core::Sha256Digest dealing_digest(
    core::ByteView context, std::uint32_t index, core::ByteView dealing
);

/// The digest that this member pledged; empty when this is no pledge of its.
std::optional<core::Sha256Digest> pledged_digest(
    core::ByteView context, const core::PublicPoint& member, core::ByteView pledge
);

}  // namespace pgveil::quorum
