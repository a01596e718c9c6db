#include "keyshare/quorum/dkg.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/core/invariant.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/quorum/dealing.hpp"
#include "keyshare/quorum/pledge.hpp"
#include "keyshare/quorum/points.hpp"
#include "keyshare/quorum/sharing.hpp"
#include "keyshare/quorum/signatures.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::quorum {
namespace {

using core::as_bytes;
using core::Bytes;
using core::ByteView;

constexpr std::size_t kExtensionMax = std::size_t{64} * 1024;

Error not_a_member() {
    return {ErrorCode::kForeign, "this key is none of the members' keys", {}};
}

Error unlucky() {
    return {
        ErrorCode::kInvalidArgument,
        "a sum is 0, which does not happen by chance: start again with a new session",
        {}};
}

// The pledge, the form, the proof of possession: what everybody can judge.
Result<Dealing> check_dealing(
    const DkgSetup& setup,
    const Bytes& context,
    const Bytes& pledge,
    const Bytes& bytes,
    std::uint32_t index
) {
    const auto refuse = [index](const char* why) {
        return Error{ErrorCode::kCheating, why, {index}};
    };
    const auto pledged = pledged_digest(context, setup.members[index - 1], pledge);
    if (!pledged.has_value()) {
        return refuse("its pledge is not signed by it");
    }
    if (*pledged != dealing_digest(context, index, bytes)) {
        return refuse("its dealing is not the one it pledged");
    }
    if (bytes.size() != plain_dealing_size(setup.threshold, setup.members.size())) {
        return refuse("its dealing has another size than one of this threshold");
    }
    auto dealing =
        parse_dealing(bytes, setup.threshold, static_cast<std::uint32_t>(setup.members.size()));
    if (!dealing.has_value()) {
        return refuse("its dealing is malformed");
    }
    if (!possession_is_proven(context, dealing->head)) {
        return refuse("its proof of possession does not hold");
    }
    return dealing;
}

struct Received {
    std::vector<DealingHead> heads;
    core::Bignum sum;
};

Result<Received> receive(
    const DkgSetup& setup,
    const MemberKey& key,
    std::uint32_t own,
    std::span<const Bytes> pledges,
    std::span<const Bytes> dealings
) {
    const Curve curve;
    const Bytes context = context_of(setup.session, setup.members);
    Faults faults;
    Received out{{}, curve.small(0)};
    for (std::uint32_t index = 1; index <= setup.members.size(); ++index) {
        if (index > dealings.size() || dealings[index - 1].empty()) {
            faults.missing(index);
            continue;
        }
        auto dealing =
            check_dealing(setup, context, pledges[index - 1], dealings[index - 1], index);
        if (!dealing.has_value()) {
            faults.cheating(index, dealing.error().message);
            continue;
        }
        const auto share = open_share(
            curve,
            {context, dealing->head, setup.members[index - 1], key.point(), own},
            key,
            dealing->sealed_shares[own - 1]
        );
        if (!share.has_value()) {
            faults.cheating(index, "its share for this member does not open or does not fit");
            continue;
        }
        out.sum = curve.add(out.sum, share->value);
        out.heads.push_back(std::move(dealing->head));
    }
    if (!faults.none()) {
        return faults.error("dealing");
    }
    return out;
}

std::vector<std::vector<core::PublicPoint>> commitments_of(const std::vector<DealingHead>& heads) {
    std::vector<std::vector<core::PublicPoint>> out;
    out.reserve(heads.size());
    for (const DealingHead& head : heads) {
        out.push_back(head.commitment);
    }
    return out;
}

Result<Group> first_group(const Transcript& transcript, ByteView bytes) {
    auto commitment = sum_of_commitments(Curve(), commitments_of(transcript.heads), {});
    if (!commitment.has_value()) {
        return unlucky();
    }
    Group out{
        core::sha256(bytes), 0, transcript.threshold, transcript.members, *std::move(commitment)};
    if (!size_fits(out.threshold, out.members.size()) || !are_distinct(out.members)) {
        return Error{ErrorCode::kMalformed, "a transcript of a run that nobody may start", {}};
    }
    if (!no_share_is_zero(out)) {
        return unlucky();
    }
    return out;
}

Result<KeyShare> share_of(const Group& group, std::uint32_t index, const core::Bignum& sum) {
    KeyShare share{group.id, group.epoch, index, Curve().write(sum)};
    // COCKTAIL's final check; with no_share_is_zero() also that the sum is not 0.
    core::invariant(belongs_to(share, group), "shares that fit their commitments fit in sum");
    return share;
}

}  // namespace

Result<void> check_setup(const DkgSetup& setup) {
    const auto refuse = [](const char* why) {
        return Error{ErrorCode::kInvalidArgument, why, {}};
    };
    if (!session_fits(setup.session)) {
        return refuse("a session has 16 to 64 bytes, fresh for each run");
    }
    if (!size_fits(setup.threshold, setup.members.size())) {
        return refuse("a threshold is from 2 to the number of members, of whom there are at most 64"
        );
    }
    if (!are_distinct(setup.members)) {
        return refuse("two members have the same key: each makes its own");
    }
    if (setup.extension.size() > kExtensionMax) {
        return refuse("an extension has at most 64 KiB");
    }
    return {};
}

Result<OpenedRun> open_run(const DkgSetup& setup, const MemberKey& key) {
    if (const auto checked = check_setup(setup); !checked.has_value()) {
        return checked.error();
    }
    const std::uint32_t index = index_of(setup.members, key.point());
    if (index == 0) {
        return not_a_member();
    }
    const Curve curve;
    const Bytes context = context_of(setup.session, setup.members);
    OpenedRun out;
    out.dealing =
        serialize(deal({context, setup.members}, key, random_polynomial(curve, setup.threshold)));
    out.pledge = make_pledge(context, index, key, out.dealing);
    return out;
}

Result<Bytes> check_pledges(const DkgSetup& setup, std::span<const Bytes> pledges) {
    if (const auto checked = check_setup(setup); !checked.has_value()) {
        return checked.error();
    }
    const Bytes context = context_of(setup.session, setup.members);
    Faults faults;
    Bytes digests;
    for (std::uint32_t index = 1; index <= setup.members.size(); ++index) {
        if (index > pledges.size() || pledges[index - 1].empty()) {
            faults.missing(index);
            continue;
        }
        const auto digest = pledged_digest(context, setup.members[index - 1], pledges[index - 1]);
        if (digest.has_value()) {
            core::append(digests, *digest);
        } else {
            faults.cheating(index, "its pledge is not signed by it");
        }
    }
    if (!faults.none()) {
        return faults.error("pledge");
    }
    return core::length_prefixed({as_bytes("pgveil/1 dkg extension"), digests, setup.extension});
}

Result<AcceptedRun> accept_dealings(
    const DkgSetup& setup,
    const MemberKey& key,
    std::span<const Bytes> pledges,
    std::span<const Bytes> dealings
) {
    auto extension = check_pledges(setup, pledges);
    if (!extension.has_value()) {
        return extension.error();
    }
    const std::uint32_t own = index_of(setup.members, key.point());
    if (own == 0) {
        return not_a_member();
    }
    auto received = receive(setup, key, own, pledges, dealings);
    if (!received.has_value()) {
        return received.error();
    }
    const Transcript transcript{
        context_of(setup.session, setup.members),
        setup.threshold,
        setup.members,
        std::move(received->heads),
        *std::move(extension)};
    Bytes bytes = serialize(transcript);
    auto group = first_group(transcript, bytes);
    if (!group.has_value()) {
        return group.error();
    }
    auto share = share_of(*group, own, received->sum);
    if (!share.has_value()) {
        return share.error();
    }
    const SchnorrSignature signature = schnorr_sign(key.scalar(), bytes);
    return AcceptedRun{*std::move(group), *std::move(share), std::move(bytes), signature};
}

Result<Certificate> certify(ByteView transcript, std::span<const Bytes> signatures) {
    const auto parsed = parse_transcript(transcript);
    if (!parsed.has_value()) {
        return parsed.error();
    }
    auto checked = check_signatures(parsed->members, transcript, signatures);
    if (!checked.has_value()) {
        return checked.error();
    }
    return Certificate{core::to_bytes(transcript), *std::move(checked)};
}

Result<Group> group_of(const Certificate& certificate) {
    const auto transcript = parse_transcript(certificate.transcript);
    if (!transcript.has_value()) {
        return transcript.error();
    }
    std::vector<Bytes> signatures;
    signatures.reserve(certificate.signatures.size());
    for (const SchnorrSignature& signature : certificate.signatures) {
        signatures.push_back(core::to_bytes(signature));
    }
    if (const auto checked =
            check_signatures(transcript->members, certificate.transcript, signatures);
        !checked.has_value()) {
        return checked.error();
    }
    return first_group(*transcript, certificate.transcript);
}

Result<KeyShare> recover(
    const MemberKey& key, const Certificate& certificate, ByteView sealed_shares
) {
    const auto group = group_of(certificate);
    if (!group.has_value()) {
        return group.error();
    }
    const std::uint32_t own = index_of(group->members, key.point());
    if (own == 0) {
        return not_a_member();
    }
    const auto transcript = parse_transcript(certificate.transcript);
    const Curve curve;
    core::Bignum sum = curve.small(0);
    Faults faults;
    for (std::uint32_t dealer = 1; dealer <= group->size(); ++dealer) {
        const auto sealed = take_framed(sealed_shares);
        if (!sealed.has_value()) {
            return Error{ErrorCode::kMalformed, "not the sealed shares of one member", {}};
        }
        const auto share = open_share(
            curve,
            {transcript->context,
             transcript->heads[dealer - 1],
             group->members[dealer - 1],
             key.point(),
             own},
            key,
            *sealed
        );
        if (share.has_value()) {
            sum = curve.add(sum, share->value);
        } else {
            faults.cheating(dealer, "its sealed share does not open or does not fit");
        }
    }
    if (!sealed_shares.empty()) {
        return Error{ErrorCode::kMalformed, "not the sealed shares of one member", {}};
    }
    if (!faults.none()) {
        return faults.error("share");
    }
    return share_of(*group, own, sum);
}

Result<Bytes> sealed_shares_of(
    const DkgSetup& setup, std::span<const Bytes> dealings, std::uint32_t index
) {
    const auto members = static_cast<std::uint32_t>(setup.members.size());
    if (index == 0 || index > members || dealings.size() != members) {
        return Error{ErrorCode::kMalformed, "not all dealings of this run, or no such member", {}};
    }
    Bytes out;
    for (const Bytes& bytes : dealings) {
        const auto dealing = parse_dealing(bytes, setup.threshold, members);
        if (!dealing.has_value()) {
            return dealing.error();
        }
        append_framed(out, dealing->sealed_shares[index - 1]);
    }
    return out;
}

}  // namespace pgveil::quorum
