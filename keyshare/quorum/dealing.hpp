#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/curve.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/quorum/curve.hpp"
#include "keyshare/quorum/error.hpp"
#include "keyshare/quorum/group.hpp"
#include "keyshare/quorum/partial.hpp"
#include "keyshare/quorum/sharing.hpp"
#include "keyshare/quorum/transcript.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace pgveil::quorum {

/// COCKTAIL's MAX_CIPHERTEXT_SIZE: what a sealed share and its payload may take.
inline constexpr std::size_t kSealedShareMax = 65536;
/// Scalar and tag: a share without payload.
inline constexpr std::size_t kSealedShareMin = 32 + 16;

/// COCKTAIL's msg1: what one member deals to all, itself included.
struct Dealing {
    DealingHead head;
    /// One for each recipient, in their order.
    std::vector<core::Bytes> sealed_shares;
};

core::Bytes serialize(const Dealing& dealing);
/// kMalformed for anything but msg1 of exactly `threshold` points and `recipients` shares.
Result<Dealing> parse_dealing(
    core::ByteView bytes, std::uint32_t threshold, std::uint32_t recipients
);

/// The size of a dealing without payloads; ours have none.
std::size_t plain_dealing_size(std::uint32_t threshold, std::size_t recipients);

/// COCKTAIL's frame: length(8, big endian) and the sealed share.
void append_framed(core::Bytes& to, core::ByteView sealed_share);
/// Takes one frame off the front of `rest`; empty when there is none within the limits.
std::optional<core::Bytes> take_framed(core::ByteView& rest);

struct Recipients {
    core::ByteView context;
    const std::vector<core::PublicPoint>& keys;
};

/// Round 1 with given secrets; `payloads` is empty or has one for each recipient. Both numbers are
/// from 1 to the order minus 1.
Dealing deal(
    const Recipients& recipients,
    const MemberKey& sender,
    const Polynomial& polynomial,
    const core::Bignum& ephemeral,
    std::span<const core::Bytes> payloads = {}
);
/// Round 1 with a fresh ephemeral key.
Dealing deal(const Recipients& recipients, const MemberKey& sender, const Polynomial& polynomial);

/// Whether the dealer showed that it knows its constant coefficient.
bool possession_is_proven(core::ByteView context, const DealingHead& head);

/// What a share is sealed with: S^e and S^d of COCKTAIL. One side computes them from its private
/// key and the other's two points.
struct SharedPoints {
    SecretPoint ephemeral;
    SecretPoint lasting;
};

SharedPoints shared_points(
    const Curve& curve,
    const core::Scalar& mine,
    const core::PublicPoint& ephemeral,
    const core::PublicPoint& lasting
);

/// Where one sealed share stands: from whom to whom.
struct SharePlace {
    core::ByteView context;
    const DealingHead& head;
    const core::PublicPoint& sender;
    const core::PublicPoint& recipient;
    std::uint32_t recipient_index;
};

struct ReceivedShare {
    core::Bignum value;
    core::SecretBytes payload;
};

/// Empty when the share does not open, is no number below the order, or does not fit the dealer's
/// commitment.
std::optional<ReceivedShare> open_share(
    const Curve& curve,
    const SharePlace& place,
    const SharedPoints& shared,
    core::ByteView sealed_share
);
/// The same for the recipient, with its key.
std::optional<ReceivedShare> open_share(
    const Curve& curve, const SharePlace& place, const MemberKey& key, core::ByteView sealed_share
);

}  // namespace pgveil::quorum
