#include "keyshare/quorum/reshare.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/quorum/dealing.hpp"
#include "keyshare/quorum/points.hpp"
#include "keyshare/quorum/reshare_transcript.hpp"
#include "keyshare/quorum/sharing.hpp"
#include "keyshare/quorum/signatures.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace pgveil::quorum {
namespace {

using core::as_bytes;
using core::Bytes;
using core::ByteView;

constexpr std::size_t kParcelHeaderSize = kWordSize + kSchnorrSize;

Error invalid(const char* why) {
    return {ErrorCode::kInvalidArgument, why, {}};
}

Error foreign(const char* why) {
    return {ErrorCode::kForeign, why, {}};
}

Bytes reshare_context(const ReshareSetup& setup) {
    return core::to_bytes(core::sha256(core::length_prefixed(
        {as_bytes("pgveil/1 reshare context"),
         setup.session,
         serialize(setup.from),
         core::big_endian32(setup.threshold),
         joined_points(setup.members)}
    )));
}

Bytes dealt_words(ByteView context, std::uint32_t dealer, ByteView dealing) {
    return core::length_prefixed(
        {as_bytes("pgveil/1 reshare dealing"), context, core::big_endian32(dealer), dealing}
    );
}

// Who says it dealt this: index(4) signature(65) dealing.
struct Parcel {
    std::uint32_t dealer = 0;
    ByteView signature;
    ByteView dealing;
};

std::optional<Parcel> parse_parcel(ByteView bytes) {
    if (bytes.size() < kParcelHeaderSize) {
        return std::nullopt;
    }
    return Parcel{
        core::read_big_endian32(bytes),
        bytes.subspan(kWordSize, kSchnorrSize),
        bytes.subspan(kParcelHeaderSize)};
}

Result<Dealing> check_parcel(
    const ReshareSetup& setup, const Bytes& context, const Parcel& parcel
) {
    const auto refuse = [&parcel](const char* why) {
        return Error{ErrorCode::kCheating, why, {parcel.dealer}};
    };
    if (!schnorr_verify(
            setup.from.members[parcel.dealer - 1],
            dealt_words(context, parcel.dealer, parcel.dealing),
            parcel.signature
        )) {
        return refuse("its dealing is not signed by it for this run");
    }
    if (parcel.dealing.size() != plain_dealing_size(setup.threshold, setup.members.size())) {
        return refuse("its dealing has another size than one of this threshold");
    }
    auto dealing = parse_dealing(
        parcel.dealing, setup.threshold, static_cast<std::uint32_t>(setup.members.size())
    );
    if (!dealing.has_value()) {
        return refuse("its dealing is malformed");
    }
    if (dealing->head.commitment.front() != setup.from.verification_share(parcel.dealer)) {
        return refuse("it does not deal its share of the old group");
    }
    if (!possession_is_proven(context, dealing->head)) {
        return refuse("its proof of possession does not hold");
    }
    return dealing;
}

struct Dealt {
    DealingHead head;
    core::Bignum share;
};

// By dealer, ascending: the same for every new member whatever the order they came in.
Result<std::map<std::uint32_t, Dealt>> receive_parcels(
    const ReshareSetup& setup,
    const Bytes& context,
    const MemberKey& key,
    std::span<const Bytes> parcels
) {
    const Curve curve;
    const std::uint32_t own = index_of(setup.members, key.point());
    Faults faults;
    std::map<std::uint32_t, Dealt> out;
    for (const Bytes& bytes : parcels) {
        const auto parcel = parse_parcel(bytes);
        if (!parcel.has_value() || parcel->dealer == 0 || parcel->dealer > setup.from.size() ||
            out.contains(parcel->dealer)) {
            return Error{
                ErrorCode::kMalformed, "two dealings of one old member, or one of nobody", {}};
        }
        auto dealing = check_parcel(setup, context, *parcel);
        if (!dealing.has_value()) {
            faults.cheating(parcel->dealer, dealing.error().message);
            continue;
        }
        auto share = open_share(
            curve,
            {context, dealing->head, setup.from.members[parcel->dealer - 1], key.point(), own},
            key,
            dealing->sealed_shares[own - 1]
        );
        if (!share.has_value()) {
            faults.cheating(
                parcel->dealer, "its share for this member does not open or does not fit"
            );
            continue;
        }
        out.emplace(parcel->dealer, Dealt{std::move(dealing->head), std::move(share->value)});
    }
    if (!faults.none()) {
        return faults.error("dealing");
    }
    return out;
}

}  // namespace

Result<void> check_setup(const ReshareSetup& setup) {
    if (!session_fits(setup.session)) {
        return invalid("a session has 16 to 64 bytes, fresh for each run");
    }
    if (!size_fits(setup.threshold, setup.members.size())) {
        return invalid(
            "a threshold is from 2 to the number of members, of whom there are at most 64"
        );
    }
    if (!are_distinct(setup.members)) {
        return invalid("two members have the same key: each makes its own");
    }
    for (const core::PublicPoint& member : setup.members) {
        if (index_of(setup.from.members, member) != 0) {
            return invalid(
                "a member key of the old group is used again: it could open the old shares, so "
                "each member makes a new one"
            );
        }
    }
    return {};
}

Result<Bytes> deal_again(
    const ReshareSetup& setup, const MemberKey& old_key, const KeyShare& old_share
) {
    if (const auto checked = check_setup(setup); !checked.has_value()) {
        return checked.error();
    }
    if (!belongs_to(old_share, setup.from) ||
        setup.from.members[old_share.index - 1] != old_key.point()) {
        return foreign("this key and this share are not a member's of the old group");
    }
    const Curve curve;
    const Bytes context = reshare_context(setup);
    const Polynomial polynomial =
        random_polynomial(curve, core::scalar_number(old_share.scalar), setup.threshold);
    const Bytes dealing = serialize(deal({context, setup.members}, old_key, polynomial));
    Bytes out = core::to_bytes(core::big_endian32(old_share.index));
    core::append(
        out, schnorr_sign(old_key.scalar(), dealt_words(context, old_share.index, dealing))
    );
    core::append(out, dealing);
    return out;
}

Result<AcceptedReshare> accept_again(
    const ReshareSetup& setup, const MemberKey& new_key, std::span<const Bytes> dealings
) {
    if (const auto checked = check_setup(setup); !checked.has_value()) {
        return checked.error();
    }
    const std::uint32_t own = index_of(setup.members, new_key.point());
    if (own == 0) {
        return foreign("this key is none of the new members' keys");
    }
    const Bytes context = reshare_context(setup);
    const auto dealt = receive_parcels(setup, context, new_key, dealings);
    if (!dealt.has_value()) {
        return dealt.error();
    }
    ReshareTranscript transcript{
        digest_of(setup.from), context, setup.threshold, setup.members, {}, {}};
    for (const auto& [dealer, one] : *dealt) {
        transcript.dealers.push_back(dealer);
        transcript.heads.push_back(one.head);
    }
    auto group = group_from(setup.from, transcript);
    if (!group.has_value()) {
        return group.error();
    }
    const Curve curve;
    core::Bignum sum = curve.small(0);
    for (const auto& [dealer, one] : *dealt) {
        sum = curve.add(
            sum, curve.multiply(lagrange_factor(curve, transcript.dealers, dealer), one.share)
        );
    }
    KeyShare share{group->id, group->epoch, own, curve.write(sum)};
    core::invariant(belongs_to(share, *group), "shares that fit their commitments fit in sum");
    Bytes bytes = serialize(transcript);
    const SchnorrSignature signature = schnorr_sign(new_key.scalar(), bytes);
    return AcceptedReshare{*std::move(group), std::move(share), std::move(bytes), signature};
}

Result<ReshareCertificate> certify_again(ByteView transcript, std::span<const Bytes> signatures) {
    const auto parsed = parse_reshare_transcript(transcript);
    if (!parsed.has_value()) {
        return parsed.error();
    }
    auto checked = check_signatures(parsed->members, transcript, signatures);
    if (!checked.has_value()) {
        return checked.error();
    }
    return ReshareCertificate{core::to_bytes(transcript), *std::move(checked)};
}

Result<Group> next_group(const Group& from, const ReshareCertificate& certificate) {
    const auto transcript = parse_reshare_transcript(certificate.transcript);
    if (!transcript.has_value()) {
        return transcript.error();
    }
    if (transcript->from != digest_of(from)) {
        return foreign("this certificate starts from another group or epoch");
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
    return group_from(from, *transcript);
}

Result<Group> next_group(
    const Group& from, const ReshareCertificate& certificate, ByteView session
) {
    const auto transcript = parse_reshare_transcript(certificate.transcript);
    if (!transcript.has_value()) {
        return transcript.error();
    }
    const ReshareSetup setup{
        core::to_bytes(session), from, transcript->threshold, transcript->members};
    if (const auto checked = check_setup(setup); !checked.has_value()) {
        return checked.error();
    }
    if (reshare_context(setup) != transcript->context) {
        return foreign("the old members have proved their shares for another run than this one");
    }
    return next_group(from, certificate);
}

}  // namespace pgveil::quorum
