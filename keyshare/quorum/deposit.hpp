#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hpke.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/quorum/error.hpp"
#include "keyshare/quorum/exchange.hpp"
#include "keyshare/quorum/group.hpp"
#include "keyshare/quorum/partial.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::quorum {

/// What the user keeps of a secret that a group has in custody: the three protocols of KMaaS, each
/// as a star.
enum class Keeping : std::uint8_t {
    /// Protocol 1: a private key, without which no number of members opens the secret.
    kPrivateKey = 1,
    /// Protocol 2: the share of a member; t - 1 others are asked.
    kShare = 2,
    /// Protocol 3: nothing; t members are asked, and see a blinded point.
    kNothing = 3,
};

/// A secret in custody. Public: it opens with the help of t members, and for kPrivateKey with the
/// user's key besides. A fresh point and key each time, so that two of the same secret have nothing
/// in common.
struct Deposit {
    Keeping keeping = Keeping::kNothing;
    core::Sha256Digest group{};  ///< fingerprint of the group's public key
    core::PublicPoint point;
    core::Bytes sealed;
};

core::Bytes serialize(const Deposit& deposit);
/// kMalformed for anything that serialize() does not write.
Result<Deposit> parse_deposit(core::ByteView bytes);

/// Made with public keys alone: the group's for kShare or kNothing; and the user's, for
/// kPrivateKey.
Deposit deposit_secret(
    const core::PublicPoint& group_key,
    Keeping keeping,  ///< kShare or kNothing (invariant)
    core::ByteView secret,
    core::RandomSource& random
);
Deposit deposit_secret_for(
    const core::PublicPoint& group_key,
    const core::PublicPoint& user_key,
    core::ByteView secret,
    core::RandomSource& random
);

/// One opening of a deposit: send request() to members, take() what they answer, then open.
///
/// Move-only, wiped with the object. One thread.
class Withdrawal {
public:
    /// kForeign when the deposit is another group's; else the errors of ask().
    static Result<Withdrawal> begin(
        const Group& group, const Deposit& deposit, std::string requester, std::string purpose
    );

    /// The same bytes for every member. For kNothing its point is fresh and says nothing.
    const PartialRequest& request() const { return asked_.request; }

    /// The answer of member `index`; kCheating names it if anything does not fit, and it is not
    /// counted then, nor a second time (kInvalidArgument).
    Result<void> take(std::uint32_t index, core::ByteView sealed_answer);

    /// The user's own part, which travels nowhere. For kShare (invariant).
    Result<void> take_own(const KeyShare& share, const MemberKey& key);

    /// The secret, once t parts were taken; kTooFew before. kForeign when it does not open. Not for
    /// kPrivateKey (invariant).
    Result<core::SecretBytes> open() const;
    /// With the user's private key; for kPrivateKey (invariant).
    Result<core::SecretBytes> open_with(const core::HpkeKeyPair& user) const;

    /// Who took part, with a signature over this request each: for took_part(), afterwards.
    std::vector<Participation> participations() const;

private:
    Withdrawal(Group group, Deposit deposit, OpenRequest asked, std::optional<Blinding> blinding)
        : group_(std::move(group)),
          deposit_(std::move(deposit)),
          asked_(std::move(asked)),
          blinding_(std::move(blinding)) {}

    Result<core::SecretBytes> shared() const;

    Group group_;
    Deposit deposit_;
    OpenRequest asked_;
    std::optional<Blinding> blinding_;
    std::vector<Answer> answers_;
};

}  // namespace pgveil::quorum
