#include "keyshare/quorum/shredding.hpp"

#include "keyshare/core/lp.hpp"
#include "keyshare/quorum/points.hpp"
#include "keyshare/quorum/schnorr.hpp"
#include "keyshare/quorum/signatures.hpp"

#include <set>
#include <utility>

namespace pgveil::quorum {
namespace {

using core::Bytes;
using core::ByteView;

Bytes shredding_words(const Group& group, std::uint32_t index) {
    return core::length_prefixed(
        {core::as_bytes("pgveil/1 shredded"), digest_of(group), core::big_endian32(index)}
    );
}

}  // namespace

Result<Bytes> shred(const Group& group, KeyShare& share, MemberKey& key) {
    if (!belongs_to(share, group) || group.members[share.index - 1] != key.point()) {
        return Error{ErrorCode::kForeign, "this share and this key are not a member's here", {}};
    }
    Bytes out = core::to_bytes(core::big_endian32(share.index));
    core::append(out, schnorr_sign(key.scalar(), shredding_words(group, share.index)));
    // Moving takes the secrets out, and the end of this function wipes them.
    const core::Scalar share_to_wipe = std::move(share.scalar);
    const MemberKey key_to_wipe = std::move(key);
    return out;
}

Result<std::uint32_t> shredded_count(const Group& group, std::span<const Bytes> statements) {
    std::set<std::uint32_t> seen;
    Faults faults;
    for (const Bytes& statement : statements) {
        if (statement.size() != kWordSize + kSchnorrSize) {
            return Error{ErrorCode::kMalformed, "not a statement about a shredded share", {}};
        }
        const std::uint32_t index = core::read_big_endian32(statement);
        if (index == 0 || index > group.size()) {
            return Error{ErrorCode::kForeign, "a statement of nobody in this group", {}};
        }
        const ByteView signature = ByteView(statement).subspan(kWordSize);
        if (!schnorr_verify(group.members[index - 1], shredding_words(group, index), signature)) {
            faults.cheating(index, "its statement is not signed by it");
        } else if (!seen.insert(index).second) {
            faults.cheating(index, "its statement is there twice");
        }
    }
    if (!faults.none()) {
        return faults.error("statement");
    }
    return static_cast<std::uint32_t>(seen.size());
}

bool is_beyond_recovery(const Group& group, std::uint32_t shredded) {
    return shredded + group.threshold > group.size();
}

}  // namespace pgveil::quorum
