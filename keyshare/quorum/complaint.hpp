#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/quorum/dkg.hpp"
#include "keyshare/quorum/error.hpp"

#include <cstdint>
#include <span>

namespace pgveil::quorum {

/// A proof that a dealer sent this member a share that does not open or does not fit, for anybody
/// to check: the two Diffie-Hellman values behind the share's key, with a proof that they are
/// right. They open that one share to the reader; the run is over anyway. Never made for a run that
/// is certified.
///
/// kForeign when the key is no member's, kInvalidArgument when there is nothing to complain about.
Result<core::Bytes> complain(
    const DkgSetup& setup, const MemberKey& key, core::ByteView dealing, std::uint32_t dealer
);

/// Who is at fault: the dealer if the complaint is right, else the member that complained. The
/// dealing must be the one the dealer pledged (its signature says so); kMalformed when the
/// complaint or the pledge is none.
Result<std::uint32_t> judge(
    const DkgSetup& setup,
    std::span<const core::Bytes> pledges,
    core::ByteView dealing,
    core::ByteView complaint
);

}  // namespace pgveil::quorum
