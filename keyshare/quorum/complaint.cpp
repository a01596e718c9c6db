#include "keyshare/quorum/complaint.hpp"

#include "keyshare/core/lp.hpp"
#include "keyshare/quorum/dealing.hpp"
#include "keyshare/quorum/dleq.hpp"
#include "keyshare/quorum/pledge.hpp"
#include "keyshare/quorum/points.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace pgveil::quorum {
namespace {

using core::as_bytes;
using core::Bytes;
using core::ByteView;

constexpr std::string_view kComplaint = "pgveil/1 dkg complaint";

// The sealed share between two members of a run, as everybody sees it.
struct Dispute {
    const DkgSetup& setup;
    const Bytes& context;
    const Dealing& dealing;
    std::uint32_t dealer;
    std::uint32_t recipient;

    SharePlace place() const {
        return {
            context,
            dealing.head,
            setup.members[dealer - 1],
            setup.members[recipient - 1],
            recipient};
    }

    ByteView sealed() const { return dealing.sealed_shares[recipient - 1]; }

    // What the two shared points are to the recipient's key.
    DleqClaim claim(
        const std::array<core::PublicPoint, 2>& bases, const std::array<ByteView, 2>& results
    ) const {
        return {setup.members[recipient - 1], bases, results};
    }

    std::array<core::PublicPoint, 2> bases() const {
        return {dealing.head.ephemeral, setup.members[dealer - 1]};
    }
};

Bytes proof_words(ByteView context, std::uint32_t dealer, ByteView dealing) {
    Bytes out = core::to_bytes(as_bytes("pgveil/1 complaint "));
    core::append(out, dealing_digest(context, dealer, dealing));
    return out;
}

struct Complaint {
    std::uint32_t recipient = 0;
    std::uint32_t dealer = 0;
    SharedPoints shared;
    ByteView proof;
};

std::optional<Complaint> parse_complaint(ByteView bytes, std::size_t members) {
    const auto parts = core::split_length_prefixed(bytes, 6);
    if (!parts.has_value() || !std::ranges::equal((*parts)[0], as_bytes(kComplaint)) ||
        (*parts)[1].size() != kWordSize || (*parts)[2].size() != kWordSize) {
        return std::nullopt;
    }
    auto ephemeral = SecretPoint::from((*parts)[3]);
    auto lasting = SecretPoint::from((*parts)[4]);
    if (!ephemeral.has_value() || !lasting.has_value()) {
        return std::nullopt;
    }
    Complaint out{
        core::read_big_endian32((*parts)[1]),
        core::read_big_endian32((*parts)[2]),
        {*std::move(ephemeral), *std::move(lasting)},
        (*parts)[5]};
    const auto is_member = [members](std::uint32_t index) {
        return index >= 1 && index <= members;
    };
    return is_member(out.recipient) && is_member(out.dealer) ? std::optional(std::move(out))
                                                             : std::nullopt;
}

Error malformed_complaint(const char* what) {
    return {ErrorCode::kMalformed, what, {}};
}

std::uint32_t size_of(const DkgSetup& setup) {
    return static_cast<std::uint32_t>(setup.members.size());
}

}  // namespace

Result<Bytes> complain(
    const DkgSetup& setup, const MemberKey& key, ByteView dealing, std::uint32_t dealer
) {
    const std::uint32_t own = index_of(setup.members, key.point());
    if (own == 0 || dealer == 0 || dealer > size_of(setup)) {
        return Error{ErrorCode::kForeign, "this key or that dealer is none of the members'", {}};
    }
    const auto parsed = parse_dealing(dealing, setup.threshold, size_of(setup));
    if (!parsed.has_value()) {
        return Error{
            ErrorCode::kInvalidArgument,
            "everybody sees that this dealing is malformed: it needs no complaint",
            {dealer}};
    }
    const Curve curve;
    const Bytes context = context_of(setup.session, setup.members);
    const Dispute dispute{setup, context, *parsed, dealer, own};
    const SharedPoints shared =
        shared_points(curve, key.scalar(), parsed->head.ephemeral, setup.members[dealer - 1]);
    if (open_share(curve, dispute.place(), shared, dispute.sealed()).has_value()) {
        return Error{ErrorCode::kInvalidArgument, "this share opens and fits", {}};
    }
    const auto bases = dispute.bases();
    const std::array<ByteView, 2> results{shared.ephemeral.reveal(), shared.lasting.reveal()};
    const DleqProof proof = prove_dleq(
        proof_words(context, dealer, dealing), key.scalar(), dispute.claim(bases, results)
    );
    return core::length_prefixed(
        {as_bytes(kComplaint),
         core::big_endian32(own),
         core::big_endian32(dealer),
         results[0],
         results[1],
         proof}
    );
}

Result<std::uint32_t> judge(
    const DkgSetup& setup, std::span<const Bytes> pledges, ByteView dealing, ByteView complaint
) {
    const auto parsed = parse_complaint(complaint, setup.members.size());
    if (!parsed.has_value() || pledges.size() != setup.members.size()) {
        return malformed_complaint("not a complaint of a member, or not all pledges");
    }
    const Bytes context = context_of(setup.session, setup.members);
    const auto pledged =
        pledged_digest(context, setup.members[parsed->dealer - 1], pledges[parsed->dealer - 1]);
    if (!pledged.has_value() || *pledged != dealing_digest(context, parsed->dealer, dealing)) {
        return malformed_complaint("this is not the dealing that was pledged");
    }
    const auto dealt = parse_dealing(dealing, setup.threshold, size_of(setup));
    if (!dealt.has_value()) {
        return parsed->dealer;
    }
    const Dispute dispute{setup, context, *dealt, parsed->dealer, parsed->recipient};
    const auto bases = dispute.bases();
    const std::array<ByteView, 2> results{
        parsed->shared.ephemeral.reveal(), parsed->shared.lasting.reveal()};
    // Without this proof anybody could have written it in the member's name.
    if (!verify_dleq(
            proof_words(context, parsed->dealer, dealing),
            dispute.claim(bases, results),
            parsed->proof
        )) {
        return malformed_complaint("the complaint is not proved by the member it names");
    }
    const bool fits =
        open_share(Curve(), dispute.place(), parsed->shared, dispute.sealed()).has_value();
    return fits ? parsed->recipient : parsed->dealer;
}

}  // namespace pgveil::quorum
