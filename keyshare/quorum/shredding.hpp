#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/quorum/error.hpp"
#include "keyshare/quorum/group.hpp"

#include <cstdint>
#include <span>

namespace pgveil::quorum {

/// Destroys a share and the member key that could make it again, and says so: index(4) and the
/// member's signature, the last that the key makes. What is stored of both elsewhere, and the
/// member's sealed shares, are the caller's to destroy. kForeign when they are not this group's,
/// and nothing is destroyed then.
Result<core::Bytes> shred(const Group& group, KeyShare& share, MemberKey& key);

/// How many members have said that they shredded their share of this group at this epoch. It is
/// their word: nobody can prove that no copy is left. kCheating names statements that are forged or
/// there twice.
Result<std::uint32_t> shredded_count(const Group& group, std::span<const core::Bytes> statements);

/// Whether so many shredded shares leave fewer than the threshold: the key is gone, and all that
/// was sealed to it.
bool is_beyond_recovery(const Group& group, std::uint32_t shredded);

}  // namespace pgveil::quorum
