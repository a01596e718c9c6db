#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/quorum/error.hpp"
#include "keyshare/quorum/group.hpp"
#include "keyshare/quorum/schnorr.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace pgveil::quorum {

/// New shares of the same key for the next epoch: refresh (the same people, the same threshold) and
/// reshare (others, another threshold) are one protocol. Shares of two epochs do not combine.
///
///   1. t members of the old group or more: deal_again() -> their dealings go to every new member
///   2. every new member, with the same dealings: accept_again() -> keeps the share, signs
///   3. everybody, with n' signatures: certify_again() -> the new group; only now old shares and
///      old member keys are destroyed, and not before everybody has the certificate
///
/// The old group says what may be: its public key, threshold and members are bound, and fewer than
/// its threshold of dealings are refused. Member keys are fresh: one that was used in the old group
/// is refused, because it could open the old dealings again.
struct ReshareSetup {
    /// Fresh for each run and agreed on by all, 16 to 64 bytes.
    core::Bytes session;
    Group from;
    std::uint32_t threshold = 0;
    std::vector<core::PublicPoint> members;
};

/// kInvalidArgument, saying which rule is broken.
Result<void> check_setup(const ReshareSetup& setup);

/// A member of the old group deals its share to the new members. kForeign when key or share are
/// not of the old group.
Result<core::Bytes> deal_again(
    const ReshareSetup& setup, const MemberKey& old_key, const KeyShare& old_share
);

struct AcceptedReshare {
    Group group;
    KeyShare share;
    core::Bytes transcript;
    /// This new member's, over the transcript. Keep the share safe before it is sent.
    SchnorrSignature signature;
};

/// The same dealings for every new member, from at least the old threshold of dealers, in any
/// order. kCheating names the dealers (by their old index) whose dealing does not hold: leave those
/// out and try again with others.
Result<AcceptedReshare> accept_again(
    const ReshareSetup& setup, const MemberKey& new_key, std::span<const core::Bytes> dealings
);

struct ReshareCertificate {
    core::Bytes transcript;
    std::vector<SchnorrSignature> signatures;

    friend bool operator==(const ReshareCertificate&, const ReshareCertificate&) = default;
};

core::Bytes serialize(const ReshareCertificate& certificate);
Result<ReshareCertificate> parse_reshare_certificate(core::ByteView bytes);

/// All n' signatures in the new members' order. kMissing or kCheating names new members.
Result<ReshareCertificate> certify_again(
    core::ByteView transcript, std::span<const core::Bytes> signatures
);

/// The group that a certificate makes of `from`: same id and public key, next epoch. kForeign when
/// it starts from another group or epoch.
Result<Group> next_group(const Group& from, const ReshareCertificate& certificate);

/// The same for somebody who was not there: the proofs of possession of t old members or more have
/// to be for the run of this session, with just these new members; so that only who holds t old
/// shares can have made it. kForeign otherwise.
Result<Group> next_group(
    const Group& from, const ReshareCertificate& certificate, core::ByteView session
);

}  // namespace pgveil::quorum
