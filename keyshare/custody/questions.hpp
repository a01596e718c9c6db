#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/custody/https_calls.hpp"
#include "keyshare/quorum/exchange.hpp"
#include "keyshare/seal/error.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace pgveil::custody {

/// Which state of a store asks: custodians refuse one that is older than what they have been told.
struct StoreVersion {
    std::array<std::uint8_t, 16> store{};
    std::uint64_t version = 0;
};

/// What the asker's TPM says to a custodian that demands it (docs/FORMATS.md). Public.
struct Testimony {
    std::string attestation_key;  ///< a point, as text
    std::string text;             ///< attest::Evidence
};

/// Lets the TPM quote with this in the extra data. Blocks for the TPM.
using Witness = std::function<seal::Result<Testimony>(const core::Sha256Digest& binding)>;

/// One question to the members of a group.
struct Question {
    core::PublicPoint point;
    std::string purpose;  ///< a word that the group's policy knows
    std::optional<StoreVersion> store = {};
    core::Bytes header = {};  ///< of a protected file, where custodians look at its policy
    Witness witness = {};     ///< for custodians that demand evidence; empty: there is no TPM
};

/// What evidence for the raise of a version is about, in the place of a request:
/// LP("pgveil/1 store version", group, store, version).
core::Bytes version_claim(core::ByteView group, const StoreVersion& store);

/// What evidence for this custodian is bound to: SHA-256(LP("pgveil/1 custodian evidence", name,
/// nonce, request)). The request has the asker's name and the key that the answer is sealed to; for
/// the raise of a version it is version_claim().
core::Sha256Digest evidence_binding(
    const std::string& custodian, core::ByteView nonce, core::ByteView request
);

/// What a custodian says to POST .../nonce.
struct NonceReply {
    core::Bytes nonce;
    bool is_demanded = false;  ///< evidence, with every question to this group
};

/// Nothing if the body of a reply of status 200 is none.
std::optional<NonceReply> nonce_in(const std::string& body);

/// Bodies of POST .../partial and .../store-version.
std::string partial_body(const quorum::PartialRequest& request, const Question& question);
std::string version_body(const StoreVersion& store);
/// One of them, with evidence.
std::string attested(const std::string& body, core::ByteView nonce, const Testimony& testimony);

/// The sealed answer in a reply of status 200; nothing if there is none.
std::optional<core::Bytes> answer_in(const std::string& body);

/// What a custodian said instead of an answer.
struct Refusal {
    std::string code;          ///< of the custodians' interface; empty: none
    std::string message;       ///< for people: one line of printable text, at most 500 characters
    std::uint32_t member = 0;  ///< who cheats, if that is it
};

Refusal refusal_in(const HttpsReply& reply);

/// Text from elsewhere, as it may stand in a message.
std::string printable(const std::string& text);

}  // namespace pgveil::custody
