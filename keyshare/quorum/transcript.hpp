#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/quorum/error.hpp"
#include "keyshare/quorum/schnorr.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace pgveil::quorum {

inline constexpr std::string_view kSuite = "COCKTAIL(P-256, SHA-256)";

/// COCKTAIL's context: binds the session, the suite and the ordered members.
core::Bytes context_of(core::ByteView session, const std::vector<core::PublicPoint>& members);

/// The public part of one member's dealing.
struct DealingHead {
    /// t points: coefficient k of the member's polynomial, times G.
    std::vector<core::PublicPoint> commitment;
    /// Proof of possession, by the constant coefficient.
    SchnorrSignature proof{};
    core::PublicPoint ephemeral;

    friend bool operator==(const DealingHead&, const DealingHead&) = default;
};

/// What all members sign in the end, in COCKTAIL's canonical form.
struct Transcript {
    core::Bytes context;
    std::uint32_t threshold = 0;
    std::vector<core::PublicPoint> members;
    /// In the members' order.
    std::vector<DealingHead> heads;
    core::Bytes extension;

    friend bool operator==(const Transcript&, const Transcript&) = default;
};

core::Bytes serialize(const Transcript& transcript);
/// kMalformed for anything that serialize() does not write, whatever signed it.
Result<Transcript> parse_transcript(core::ByteView bytes);

/// The success certificate: public, the same for all, worth keeping.
struct Certificate {
    core::Bytes transcript;
    /// One of each member, in their order.
    std::vector<SchnorrSignature> signatures;

    friend bool operator==(const Certificate&, const Certificate&) = default;
};

core::Bytes serialize(const Certificate& certificate);
/// Form only; group_of() (dkg.hpp) checks the signatures.
Result<Certificate> parse_certificate(core::ByteView bytes);

}  // namespace pgveil::quorum
