#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/quorum/dleq.hpp"
#include "keyshare/quorum/error.hpp"
#include "keyshare/quorum/group.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace pgveil::quorum {

/// A point that must stay secret, 33 bytes (SEC 1, compressed).
using SecretPoint = core::Secret<struct SecretPointRole, 33>;

/// What one member answers: its share times the point, and a proof (RFC 9497 section 2.2) that it
/// is that member's share of this group at this epoch, for this point and this context. Whoever has
/// t of them for one point has the result, so a partial travels sealed (exchange.hpp). Move-only.
struct Partial {
    std::uint32_t index = 0;
    SecretPoint value;
    DleqProof proof;
};

/// index(4) value(33) proof(64).
inline constexpr std::size_t kPartialSize = 4 + 33 + kDleqProofSize;
core::SecretBytes serialize(const Partial& partial);
Result<Partial> parse_partial(core::ByteView bytes);

/// The share times `point`, proved. `context` says what it is for (a request's digest); it is bound
/// by the proof. kForeign when the share is not one of this group and epoch.
Result<Partial> make_partial(
    const Group& group,
    const KeyShare& share,
    const core::PublicPoint& point,
    core::ByteView context
);

/// Whether the proof holds for what the partial says. Public inputs only.
bool partial_holds(
    const Group& group,
    const core::PublicPoint& point,
    core::ByteView context,
    const Partial& partial
);

/// The private key times `point`, from t partials or more (the first t are used).
///
/// Every partial is checked first: kCheating names those that do not hold, kMalformed a repeated or
/// unknown index, kTooFew how many are missing.
Result<SecretPoint> combine(
    const Group& group,
    const core::PublicPoint& point,
    core::ByteView context,
    std::span<const Partial> partials
);

/// The x coordinate, 32 bytes: for a point r*G it is what core::ecdh_x(r, group.public_key())
/// gives. Not yet a key: derive one from it.
core::SecretBytes x_of(const SecretPoint& point);

/// McCallum-Relyea: members see `blinded`, a uniform point that says nothing about the point itself
/// (K7 done in the group). Move-only, used once.
struct Blinding {
    core::Scalar factor;
    core::PublicPoint blinded;
};

/// point + e*G with a fresh e.
Blinding blind(const core::PublicPoint& point);
/// From the private key times `blinded` (combine()) the private key times the point itself.
/// kInvalidArgument in the case that never happens by chance: the result would be infinity.
Result<SecretPoint> unblind(
    const Group& group, const Blinding& blinding, const SecretPoint& combined
);

}  // namespace pgveil::quorum
