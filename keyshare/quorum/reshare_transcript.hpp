#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/quorum/error.hpp"
#include "keyshare/quorum/group.hpp"
#include "keyshare/quorum/transcript.hpp"

#include <cstdint>
#include <vector>

namespace pgveil::quorum {

/// What all new members sign in the end of a reshare.
struct ReshareTranscript {
    /// digest_of() the group at the epoch before.
    core::Sha256Digest from{};
    core::Bytes context;
    std::uint32_t threshold = 0;
    std::vector<core::PublicPoint> members;
    /// Indices in the old group, ascending, and what each dealt.
    std::vector<std::uint32_t> dealers;
    std::vector<DealingHead> heads;
};

core::Bytes serialize(const ReshareTranscript& transcript);
/// kMalformed for anything that serialize() does not write.
Result<ReshareTranscript> parse_reshare_transcript(core::ByteView bytes);

/// The group that follows `from`. kTooFew when fewer than its threshold dealt, kCheating when a
/// dealer dealt another number than its share or has not shown that it knows it.
Result<Group> group_from(const Group& from, const ReshareTranscript& transcript);

}  // namespace pgveil::quorum
