#pragma once

#include "keyshare/quorum/dkg.hpp"
#include "keyshare/quorum/exchange.hpp"
#include "keyshare/quorum/group.hpp"
#include "keyshare/quorum/reshare.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace pgveil::quorum::testing {

using Size = std::pair<std::uint32_t, std::uint32_t>;  // t of n

inline const std::vector<Size> kSizes{{2, 3}, {3, 5}, {5, 9}};

core::Bytes fresh_session();

/// A key generation of t of n, round by round, so that a test may change what is sent.
class Ceremony {
public:
    explicit Ceremony(Size size);

    /// All rounds, honestly. Throws when one fails.
    void run();
    void open();

    Result<AcceptedRun> accept(std::uint32_t index) const;
    /// Round 3 for everybody; throws when a member refuses.
    void accept_all();

    const MemberKey& key(std::uint32_t index) const { return keys[index - 1]; }

    std::vector<MemberKey> keys;
    DkgSetup setup;
    std::vector<core::Bytes> pledges;
    std::vector<core::Bytes> dealings;
    core::Bytes transcript;
    std::vector<core::Bytes> signatures;
    // After accept_all().
    Group group;
    std::vector<KeyShare> shares;
    Certificate certificate;
};

/// The same for the next epoch of a group.
class Change {
public:
    Change(const Group& from, Size size);

    Change& deal(const std::vector<MemberKey>& old_keys, const std::vector<KeyShare>& old_shares);
    Result<AcceptedReshare> accept(std::uint32_t index) const;
    void accept_all();

    std::vector<MemberKey> keys;
    ReshareSetup setup;
    std::vector<core::Bytes> dealings;
    core::Bytes transcript;
    std::vector<core::Bytes> signatures;
    Group group;
    std::vector<KeyShare> shares;
    ReshareCertificate certificate;
};

/// r*G and what only r or the group can compute of it.
struct Sealed {
    core::PublicPoint point;
    core::SecretBytes expected;
};

Sealed seal_to(const Group& group);

std::vector<Partial> partials_of(
    const Group& group,
    const std::vector<KeyShare>& shares,
    const std::vector<std::uint32_t>& indices,
    const core::PublicPoint& point,
    core::ByteView context
);

/// Whether these members can open what was sealed to the group.
bool opens(
    const Group& group,
    const std::vector<KeyShare>& shares,
    const std::vector<std::uint32_t>& indices
);

std::vector<std::uint32_t> first_members(std::uint32_t count);
/// `count` of `of` members, chosen and ordered at random.
std::vector<std::uint32_t> some_members(std::uint32_t count, std::uint32_t of);

bool same_bytes(core::ByteView left, core::ByteView right);

}  // namespace pgveil::quorum::testing
