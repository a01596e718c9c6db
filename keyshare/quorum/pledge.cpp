#include "keyshare/quorum/pledge.hpp"

#include "keyshare/core/lp.hpp"
#include "keyshare/quorum/schnorr.hpp"

#include <algorithm>

namespace pgveil::quorum {
namespace {

using core::as_bytes;
using core::Bytes;
using core::ByteView;

Bytes pledge_message(ByteView context, ByteView digest) {
    return core::length_prefixed({as_bytes("pgveil/1 dkg pledge"), context, digest});
}

}  // namespace

core::Sha256Digest dealing_digest(ByteView context, std::uint32_t index, ByteView dealing) {
    return core::sha256(core::length_prefixed(
        {as_bytes("pgveil/1 dkg dealing"), context, core::big_endian32(index), dealing}
    ));
}

Bytes make_pledge(ByteView context, std::uint32_t index, const MemberKey& key, ByteView dealing) {
    const core::Sha256Digest digest = dealing_digest(context, index, dealing);
    Bytes out = core::to_bytes(digest);
    core::append(out, schnorr_sign(key.scalar(), pledge_message(context, digest)));
    return out;
}

std::optional<core::Sha256Digest> pledged_digest(
    ByteView context, const core::PublicPoint& member, ByteView pledge
) {
    if (pledge.size() != kPledgeSize) {
        return std::nullopt;
    }
    core::Sha256Digest digest{};
    std::ranges::copy(pledge.first(digest.size()), digest.begin());
    if (!schnorr_verify(
            member, pledge_message(context, digest), pledge.subspan(core::kSha256Size)
        )) {
        return std::nullopt;
    }
    return digest;
}

}  // namespace pgveil::quorum
