#include "keyshare/quorum/deposit.hpp"

#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/core/xaes.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace pgveil::quorum {
namespace {

constexpr std::string_view kDepositTitle = "pgveil/1 deposit";
constexpr std::size_t kDepositParts = 5;

/// What the key and the tag hang on, besides the shared points.
core::Bytes place_of(const Deposit& deposit) {
    const std::array keeping = {static_cast<std::uint8_t>(deposit.keeping)};
    return core::length_prefixed(
        {core::as_bytes(kDepositTitle), keeping, deposit.group, deposit.point.bytes()}
    );
}

/// X of rY, and for kPrivateKey X of rU: both are needed.
core::SecretBytes deposit_key(
    const Deposit& deposit, core::ByteView of_group, core::ByteView of_user
) {
    const core::SecretBytes both = core::secret_length_prefixed({of_group, of_user});
    return core::hkdf_sha256(both.reveal(), place_of(deposit));
}

core::SecretBytes shared_with(const core::Scalar& scalar, const core::PublicPoint& point) {
    auto shared = core::ecdh_x(scalar, point);
    core::invariant(shared.has_value(), "a fresh scalar is one");
    return *std::move(shared);
}

Deposit sealed_deposit(
    Keeping keeping,
    const core::PublicPoint& group_key,
    const core::PublicPoint* user_key,
    core::ByteView secret,
    core::RandomSource& random
) {
    const core::Scalar scalar = core::generate_scalar();
    const auto point = core::PublicPoint::of_scalar(scalar);
    core::invariant(point.has_value(), "a fresh scalar is one");
    Deposit deposit{
        .keeping = keeping, .group = group_key.fingerprint(), .point = *point, .sealed = {}};
    const core::SecretBytes of_user =
        user_key == nullptr ? core::SecretBytes() : shared_with(scalar, *user_key);
    const core::SecretBytes key =
        deposit_key(deposit, shared_with(scalar, group_key).reveal(), of_user.reveal());
    deposit.sealed = core::xaes_seal(key.reveal(), place_of(deposit), secret, random);
    return deposit;
}

Result<core::SecretBytes> opened(
    const Deposit& deposit, core::ByteView of_group, core::ByteView of_user
) {
    const core::SecretBytes key = deposit_key(deposit, of_group, of_user);
    auto secret = core::xaes_open(key.reveal(), place_of(deposit), deposit.sealed);
    if (!secret) {
        return Error{
            ErrorCode::kForeign,
            "the deposit does not open: it was altered, or is for another user's key",
            {}};
    }
    return *std::move(secret);
}

}  // namespace

core::Bytes serialize(const Deposit& deposit) {
    const std::array keeping = {static_cast<std::uint8_t>(deposit.keeping)};
    return core::length_prefixed(
        {core::as_bytes(kDepositTitle),
         keeping,
         deposit.group,
         deposit.point.bytes(),
         deposit.sealed}
    );
}

Result<Deposit> parse_deposit(core::ByteView bytes) {
    const Error malformed{ErrorCode::kMalformed, "not a deposit of this version", {}};
    const auto parts = core::split_length_prefixed(bytes, kDepositParts);
    if (!parts || core::as_text((*parts)[0]) != kDepositTitle || (*parts)[1].size() != 1 ||
        (*parts)[2].size() != core::kSha256Size) {
        return malformed;
    }
    const std::uint8_t keeping = (*parts)[1].front();
    const auto point = core::PublicPoint::parse((*parts)[3]);
    if (!point || keeping < static_cast<std::uint8_t>(Keeping::kPrivateKey) ||
        keeping > static_cast<std::uint8_t>(Keeping::kNothing)) {
        return malformed;
    }
    Deposit deposit{
        .keeping = static_cast<Keeping>(keeping),
        .group = {},
        .point = *point,
        .sealed = core::to_bytes((*parts)[4])};
    std::ranges::copy((*parts)[2], deposit.group.begin());
    return deposit;
}

Deposit deposit_secret(
    const core::PublicPoint& group_key,
    Keeping keeping,
    core::ByteView secret,
    core::RandomSource& random
) {
    core::invariant(keeping != Keeping::kPrivateKey, "a user's key is given for protocol 1");
    return sealed_deposit(keeping, group_key, nullptr, secret, random);
}

Deposit deposit_secret_for(
    const core::PublicPoint& group_key,
    const core::PublicPoint& user_key,
    core::ByteView secret,
    core::RandomSource& random
) {
    return sealed_deposit(Keeping::kPrivateKey, group_key, &user_key, secret, random);
}

Result<Withdrawal> Withdrawal::begin(
    const Group& group, const Deposit& deposit, std::string requester, std::string purpose
) {
    if (deposit.group != group.public_key().fingerprint()) {
        return Error{ErrorCode::kForeign, "the deposit is with another group", {}};
    }
    std::optional<Blinding> blinding;
    if (deposit.keeping == Keeping::kNothing) {
        blinding = blind(deposit.point);
    }
    auto asked =
        ask(group,
            blinding ? blinding->blinded : deposit.point,
            std::move(requester),
            std::move(purpose));
    if (!asked) {
        return asked.error();
    }
    return Withdrawal(group, deposit, *std::move(asked), std::move(blinding));
}

Result<void> Withdrawal::take(std::uint32_t index, core::ByteView sealed_answer) {
    const bool is_there = std::ranges::any_of(answers_, [index](const Answer& answer) {
        return answer.partial.index == index;
    });
    if (is_there) {
        return Error{ErrorCode::kInvalidArgument, "this member has answered already", {index}};
    }
    auto answer = open_answer(group_, asked_, index, sealed_answer);
    if (!answer) {
        return answer.error();
    }
    answers_.push_back(*std::move(answer));
    return {};
}

Result<void> Withdrawal::take_own(const KeyShare& share, const MemberKey& key) {
    core::invariant(deposit_.keeping == Keeping::kShare, "only protocol 2 has a user's share");
    const auto own = answer(group_, share, key, asked_.request);
    return own ? take(share.index, *own) : own.error();
}

Result<core::SecretBytes> Withdrawal::shared() const {
    auto combined = combine(group_, asked_.request, answers_);
    if (!combined) {
        return combined.error();
    }
    if (!blinding_) {
        return x_of(*combined);
    }
    const auto unblinded = unblind(group_, *blinding_, *combined);
    if (!unblinded) {
        return unblinded.error();
    }
    return x_of(*unblinded);
}

Result<core::SecretBytes> Withdrawal::open() const {
    core::invariant(deposit_.keeping != Keeping::kPrivateKey, "protocol 1 has a user's key");
    const auto of_group = shared();
    return of_group ? opened(deposit_, of_group->reveal(), {}) : of_group.error();
}

Result<core::SecretBytes> Withdrawal::open_with(const core::HpkeKeyPair& user) const {
    core::invariant(deposit_.keeping == Keeping::kPrivateKey, "only protocol 1 has a user's key");
    const auto of_group = shared();
    if (!of_group) {
        return of_group.error();
    }
    return opened(deposit_, of_group->reveal(), shared_with(user.scalar, deposit_.point).reveal());
}

std::vector<Participation> Withdrawal::participations() const {
    std::vector<Participation> all;
    for (const Answer& answer : answers_) {
        all.push_back(answer.participation);
    }
    return all;
}

}  // namespace pgveil::quorum
