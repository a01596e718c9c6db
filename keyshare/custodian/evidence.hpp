#pragma once

#include "keyshare/attest/quote.hpp"
#include "keyshare/core/bytes.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/custodian/refusal.hpp"
#include "keyshare/share/json_fields.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::custodian {

/// What a group demands of an asker's machine with every question: a quote by one of these TPMs,
/// over a state that this key has approved for this tenant's seal (attest::seal_purpose).
struct EvidenceRule {
    std::vector<core::PublicPoint> attestation_keys;  ///< 1 to 64, distinct
    core::PublicPoint approver;
    std::string tenant;

    friend bool operator==(const EvidenceRule&, const EvidenceRule&) = default;
};

/// {"attestation_keys", "approver", "tenant"}. 400, saying what to write.
Result<EvidenceRule> parse_evidence_rule(const share::Json& json);
share::Json evidence_rule_json(const EvidenceRule& rule);

/// The member "evidence" of a question's body.
struct ShownEvidence {
    core::Bytes nonce;
    core::PublicPoint attestation_key;
    std::string text;  ///< attest::parse_evidence() reads it
};

/// 403 where there is none, 400 where it is none.
Result<ShownEvidence> read_evidence(const share::Json& body);

/// The TPM's clock, if the evidence is of a TPM that the rule names, is bound to this, shows an
/// approved state, and the clock has not gone back since `last`. 403 says what does not fit.
Result<attest::Clock> judge_evidence(
    const EvidenceRule& rule,
    const ShownEvidence& shown,
    const core::Sha256Digest& binding,
    const std::optional<attest::Clock>& last
);

/// "milliseconds resets restarts", as the store keeps it. Nothing for any other text.
std::string clock_text(const attest::Clock& clock);
std::optional<attest::Clock> parse_clock(std::string_view text);

}  // namespace pgveil::custodian
