#include "keyshare/envelope/membership.hpp"

#include "keyshare/core/lp.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/quorum/dkg.hpp"
#include "keyshare/quorum/reshare.hpp"

#include <string>
#include <utility>

namespace pgveil::envelope {

namespace {

constexpr std::string_view kMemberTitle = "pgveil envelope member 1";
constexpr std::size_t kSessionSize = 32;

user::Error not_made(const quorum::Error& error) {
    return user::failed("no shares were made: " + error.message);
}

core::Bytes fresh_session() {
    core::Bytes session(kSessionSize);
    core::system_random().fill(session);
    return session;
}

std::vector<quorum::MemberKey> fresh_keys() {
    std::vector<quorum::MemberKey> keys;
    for (std::uint32_t member = 0; member < kMembers; ++member) {
        keys.push_back(quorum::MemberKey::generate());
    }
    return keys;
}

std::vector<core::PublicPoint> points_of(const std::vector<quorum::MemberKey>& keys) {
    std::vector<core::PublicPoint> points;
    for (const quorum::MemberKey& key : keys) {
        points.push_back(key.point());
    }
    return points;
}

/// What each member accepted, put together once all have signed.
template <class Accepted>
Founding put_together(std::vector<Accepted> accepted, std::vector<quorum::MemberKey> keys) {
    Founding founding{accepted.front().group, {}};
    for (std::size_t at = 0; at < accepted.size(); ++at) {
        founding.members.push_back(Membership{std::move(accepted[at].share), std::move(keys[at])});
    }
    return founding;
}

template <class Accepted>
std::vector<core::Bytes> signatures_of(const std::vector<Accepted>& accepted) {
    std::vector<core::Bytes> signatures;
    for (const Accepted& member : accepted) {
        signatures.push_back(core::to_bytes(member.signature));
    }
    return signatures;
}

}  // namespace

core::SecretBytes serialize(const Membership& membership) {
    const core::SecretBytes share = quorum::serialize(membership.share);
    return core::secret_length_prefixed(
        {core::as_bytes(kMemberTitle), share.reveal(), membership.key.scalar().reveal()}
    );
}

Result<Membership> parse_membership(core::ByteView bytes, const quorum::Group& group) {
    const user::Error unusable = user::unusable("this is no share of this group and version");
    const auto parts = core::split_length_prefixed(bytes, 3);
    if (!parts || core::as_text((*parts)[0]) != kMemberTitle) {
        return unusable;
    }
    auto share = quorum::parse_key_share((*parts)[1]);
    auto scalar = core::Scalar::from((*parts)[2]);
    if (!share || !scalar) {
        return unusable;
    }
    auto key = quorum::MemberKey::from_scalar(*std::move(scalar));
    const bool fits = key && share->index >= 1 && share->index <= group.size() &&
                      quorum::belongs_to(*share, group) &&
                      group.members[share->index - 1] == key->point();
    if (!fits) {
        return unusable;
    }
    return Membership{*std::move(share), *std::move(key)};
}

Result<Founding> found_group() {
    std::vector<quorum::MemberKey> keys = fresh_keys();
    const quorum::DkgSetup setup{
        .session = fresh_session(),
        .threshold = kThreshold,
        .members = points_of(keys),
        .extension = {}};
    std::vector<core::Bytes> pledges;
    std::vector<core::Bytes> dealings;
    for (const quorum::MemberKey& key : keys) {
        auto run = quorum::open_run(setup, key);
        if (!run) {
            return not_made(run.error());
        }
        pledges.push_back(std::move(run->pledge));
        dealings.push_back(std::move(run->dealing));
    }
    if (const auto bound = quorum::check_pledges(setup, pledges); !bound) {
        return not_made(bound.error());
    }
    std::vector<quorum::AcceptedRun> accepted;
    for (const quorum::MemberKey& key : keys) {
        auto member = quorum::accept_dealings(setup, key, pledges, dealings);
        if (!member) {
            return not_made(member.error());
        }
        accepted.push_back(*std::move(member));
    }
    const auto certificate = quorum::certify(accepted.front().transcript, signatures_of(accepted));
    if (!certificate) {
        return not_made(certificate.error());
    }
    return put_together(std::move(accepted), std::move(keys));
}

Result<Founding> renew_group(
    const quorum::Group& group, std::span<const Membership* const> present
) {
    std::vector<quorum::MemberKey> keys = fresh_keys();
    const quorum::ReshareSetup setup{
        .session = fresh_session(),
        .from = group,
        .threshold = kThreshold,
        .members = points_of(keys)};
    std::vector<core::Bytes> dealings;
    for (const Membership* const member : present) {
        auto dealing = quorum::deal_again(setup, member->key, member->share);
        if (!dealing) {
            return not_made(dealing.error());
        }
        dealings.push_back(*std::move(dealing));
    }
    std::vector<quorum::AcceptedReshare> accepted;
    for (const quorum::MemberKey& key : keys) {
        auto member = quorum::accept_again(setup, key, dealings);
        if (!member) {
            return not_made(member.error());
        }
        accepted.push_back(*std::move(member));
    }
    const auto certificate =
        quorum::certify_again(accepted.front().transcript, signatures_of(accepted));
    if (!certificate) {
        return not_made(certificate.error());
    }
    return put_together(std::move(accepted), std::move(keys));
}

}  // namespace pgveil::envelope
