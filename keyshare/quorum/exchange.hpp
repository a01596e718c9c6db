#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/hpke.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/quorum/error.hpp"
#include "keyshare/quorum/group.hpp"
#include "keyshare/quorum/partial.hpp"
#include "keyshare/quorum/schnorr.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace pgveil::quorum {

inline constexpr std::size_t kRequestTextMax = 200;

/// One question to the members of a group: the same bytes go to each, each answers the asker only
/// (a star, not a chain). Public; what must not be seen is blinded first.
struct PartialRequest {
    core::Sha256Digest group{};
    std::uint32_t epoch = 0;
    core::PublicPoint point;
    /// Who asks and what for, in words the members' policies know: 1 to 200 bytes of printable
    /// ASCII each.
    std::string requester;
    std::string purpose;
    /// 16 random bytes, never used again; also what members' logs call it.
    std::array<std::uint8_t, 16> id{};
    /// HPKE key of the asker, fresh for this request.
    core::PublicPoint reply_key;
};

core::Bytes serialize(const PartialRequest& request);
/// kMalformed for anything that serialize() does not write.
Result<PartialRequest> parse_request(core::ByteView bytes);

/// The asker's side of one question. Move-only; wiped with the object.
struct OpenRequest {
    PartialRequest request;
    core::HpkeKeyPair reply_key;
};

/// A question with a fresh id and reply key. kInvalidArgument when a text is none that a request
/// carries.
Result<OpenRequest> ask(
    const Group& group, const core::PublicPoint& point, std::string requester, std::string purpose
);

/// A member's answer: its partial with the request as context, signed by its member key, sealed to
/// the reply key. Checks the group and epoch only; whether this requester may ask is the caller's
/// to decide before. kForeign when share, key, group and request are not of one epoch.
Result<core::Bytes> answer(
    const Group& group, const KeyShare& share, const MemberKey& key, const PartialRequest& request
);

/// Shows afterwards that a member took part (K4), without the partial: its signature over the
/// request and the partial's digest. Public.
struct Participation {
    std::uint32_t index = 0;
    core::Sha256Digest partial{};
    SchnorrSignature signature{};
};

struct Answer {
    Partial partial;
    Participation participation;
};

/// The answer of member `index`, signature and proof checked; kCheating names it when anything does
/// not fit.
Result<Answer> open_answer(
    const Group& group, const OpenRequest& asked, std::uint32_t index, core::ByteView sealed
);

/// Whether that member signed that it answered this request: for an auditor.
bool took_part(
    const Group& group, const PartialRequest& request, const Participation& participation
);

/// The private key times the point asked for; errors as combine().
Result<SecretPoint> combine(
    const Group& group, const PartialRequest& request, std::span<const Answer> answers
);

}  // namespace pgveil::quorum
