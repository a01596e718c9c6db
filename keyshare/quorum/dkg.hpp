#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/quorum/error.hpp"
#include "keyshare/quorum/group.hpp"
#include "keyshare/quorum/schnorr.hpp"
#include "keyshare/quorum/transcript.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace pgveil::quorum {

/// Distributed key generation: C2SP COCKTAIL-DKG, suite COCKTAIL(P-256, SHA-256), behind one round
/// of commitments, so that the last one to move cannot choose the key.
///
///   1. everybody: open_run()       -> sends `pledge` to all
///   2. everybody, with n pledges:  check_pledges() -> sends `dealing` (COCKTAIL's msg1) to all
///   3. everybody, with n dealings: accept_dealings() -> keeps the share, sends `signature` to all
///   4. everybody, with n signatures: certify() -> the certificate; only now the group is used
///
/// Values in, values out: no clock, no sockets, no files. All of it is public except the member key
/// and the share, and everything but `open_run` is deterministic, so a run can be resumed from its
/// messages. Who carries the messages is not trusted: a split view fails at step 4.
struct DkgSetup {
    /// Fresh for each run and agreed on by all, 16 to 64 bytes.
    core::Bytes session;
    std::uint32_t threshold = 0;
    /// In the order agreed on; distinct.
    std::vector<core::PublicPoint> members;
    /// What else all must agree on (a policy's digest, for example); at most 64 KiB.
    core::Bytes extension;
};

/// kInvalidArgument, saying which rule is broken.
Result<void> check_setup(const DkgSetup& setup);

struct OpenedRun {
    /// Signed hash of the dealing; sent first.
    core::Bytes pledge;
    /// Sent once all pledges are here. Public, though only its recipients can open its shares.
    core::Bytes dealing;
};

/// kForeign when the key is no member's. Draws fresh randomness: never call it twice for one
/// session; keep the result until the run is over.
Result<OpenedRun> open_run(const DkgSetup& setup, const MemberKey& key);

/// All n pledges in the members' order (empty: not here). kMissing or kCheating names members.
/// Gives what binds them: the run's extension.
Result<core::Bytes> check_pledges(const DkgSetup& setup, std::span<const core::Bytes> pledges);

struct AcceptedRun {
    Group group;
    KeyShare share;
    core::Bytes transcript;
    /// This member's, over the transcript. Keep the share safe before it is sent.
    SchnorrSignature signature;
};

/// All n dealings in the members' order. kMissing or kCheating names every member whose dealing is
/// not here, is not the one pledged, has another number of points, no valid proof of possession, or
/// a share for this member that does not open or does not fit. For the last two complain() makes
/// a proof for the others.
Result<AcceptedRun> accept_dealings(
    const DkgSetup& setup,
    const MemberKey& key,
    std::span<const core::Bytes> pledges,
    std::span<const core::Bytes> dealings
);

/// All n signatures in the members' order. kMissing or kCheating names members.
Result<Certificate> certify(core::ByteView transcript, std::span<const core::Bytes> signatures);

/// The group a certificate made, all signatures checked. Whether its members are the right ones is
/// the caller's to know.
Result<Group> group_of(const Certificate& certificate);

/// A lost share from the member's key, the certificate and this member's column of the dealings
/// (sealed_shares_of()). kForeign when the key is no member's; kCheating names a dealer whose share
/// does not fit.
Result<KeyShare> recover(
    const MemberKey& key, const Certificate& certificate, core::ByteView sealed_shares
);

/// COCKTAIL's recovery bundle of member `index` out of all dealings: keep it with the certificate.
/// kMalformed for anything that is no dealing of this setup.
Result<core::Bytes> sealed_shares_of(
    const DkgSetup& setup, std::span<const core::Bytes> dealings, std::uint32_t index
);

}  // namespace pgveil::quorum
