#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/quorum/error.hpp"

#include <cstdint>
#include <vector>

namespace pgveil::quorum {

inline constexpr std::uint32_t kMembersMax = 64;

/// What everybody may know of a (t, n) key on P-256: any t of n members can use it, fewer learn
/// nothing about it, and nobody ever holds it. A value; any thread.
///
/// The members are numbered from 1; `members` and `verification_shares` are in that order.
struct Group {
    /// SHA-256 of the transcript that made the key; refresh and reshare keep it.
    core::Sha256Digest id{};
    /// 0 when made, one more with each refresh or reshare.
    std::uint32_t epoch = 0;
    std::uint32_t threshold = 0;
    /// The members' static keys of this epoch: shares were sealed to them, and they sign partials.
    std::vector<core::PublicPoint> members;
    /// t points: coefficient k of the joint polynomial, times G. The first is the public key.
    std::vector<core::PublicPoint> commitment;

    const core::PublicPoint& public_key() const { return commitment.front(); }

    std::uint32_t size() const { return static_cast<std::uint32_t>(members.size()); }

    /// Share of member `index` (1 to n, invariant) times G.
    core::PublicPoint verification_share(std::uint32_t index) const;

    friend bool operator==(const Group&, const Group&) = default;
};

/// The one binary form; SHA-256 of it names exactly this group at this epoch.
core::Bytes serialize(const Group& group);
/// kMalformed for anything else. Checks form and points, not that a DKG made it: for that verify
/// its certificate (dkg.hpp, reshare.hpp), or pin it.
Result<Group> parse_group(core::ByteView bytes);
core::Sha256Digest digest_of(const Group& group);

/// One member's share of the private key. Secret; move-only; one thread at a time.
struct KeyShare {
    core::Sha256Digest group{};
    std::uint32_t epoch = 0;
    std::uint32_t index = 0;
    core::Scalar scalar;
};

/// For sealed storage only.
core::SecretBytes serialize(const KeyShare& share);
/// kMalformed for another form or a scalar out of range.
Result<KeyShare> parse_key_share(core::ByteView bytes);

/// Whether the share is that of its member in this group at this epoch: its scalar times G is the
/// verification share.
bool belongs_to(const KeyShare& share, const Group& group);

/// A member's static key: it opens the shares sealed to this member and signs for it.
///
/// One per group, member and epoch, never reused: whoever holds it can open the sealed shares of
/// its run again (recover(), dkg.hpp), so it lives and dies with the share. Shredding a share means
/// destroying both. Move-only; any thread may use it.
class MemberKey {
public:
    static MemberKey generate();
    /// kInvalidArgument when the scalar is 0 or not below the order.
    static Result<MemberKey> from_scalar(core::Scalar scalar);

    const core::PublicPoint& point() const noexcept { return point_; }

    /// For sealed storage, and for the arithmetic of this folder.
    const core::Scalar& scalar() const noexcept { return scalar_; }

private:
    MemberKey(core::Scalar scalar, core::PublicPoint point);

    core::Scalar scalar_;
    core::PublicPoint point_;
};

}  // namespace pgveil::quorum
