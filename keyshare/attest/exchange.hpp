#pragma once

#include "keyshare/attest/approval.hpp"
#include "keyshare/attest/credential.hpp"
#include "keyshare/attest/endorsement_certificate.hpp"
#include "keyshare/attest/error.hpp"
#include "keyshare/attest/measurement.hpp"
#include "keyshare/attest/quote.hpp"
#include "keyshare/core/random.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The four texts of one attestation, which travel as files: keys (from the proxy's machine),
// challenge (from the tenant), evidence (back), and what the tenant keeps. Parsers are strict:
// exactly what to_text writes; they never throw on any text.
namespace pgveil::attest {

/// Who a TPM is.
struct TpmKeys {
    core::PublicPoint endorsement;
    core::PublicPoint attestation;
    /// Of its endorsement key of 2048 bits, as the TPM has it; empty if it has none.
    core::Bytes certificate = {};

    bool is_same_tpm(const TpmKeys& other) const {
        return endorsement == other.endorsement && attestation == other.attestation;
    }

    friend bool operator==(const TpmKeys&, const TpmKeys&) = default;
};

std::string to_text(const TpmKeys& keys);
Result<TpmKeys> parse_keys(std::string_view text);

/// A question that only the TPM with the endorsement key can answer. Public.
struct Challenge {
    Sha256Digest nonce{};
    Sha256Digest identity{};  ///< fingerprint of the proxy's identity key
    Credential credential;
};

std::string to_text(const Challenge& challenge);
Result<Challenge> parse_challenge(std::string_view text);

/// The answer. Public.
struct Evidence {
    Statement statement;
    Approval approval;
    Signed quote;
};

std::string to_text(const Evidence& evidence);
Result<Evidence> parse_evidence(std::string_view text);

/// A challenge with the secret that its credential holds.
struct Question {
    Challenge challenge;
    core::SecretBytes secret;
};

Question ask(const TpmKeys& keys, const Sha256Digest& identity, core::RandomSource& random);
/// The same for the owner of the endorsement key that was certified.
Question ask(
    const EndorsementModulus& certified,
    const core::PublicPoint& attestation,
    const Sha256Digest& identity,
    core::RandomSource& random
);

/// What goes into the quote's extra data: SHA-256(LP("pgveil/1 attestation", nonce, identity,
/// secret)). Who knows the secret has the TPM with the endorsement key.
Sha256Digest quote_binding(
    const Sha256Digest& nonce, const Sha256Digest& identity, const core::SecretBytes& secret
);

/// What the tenant knows when the evidence comes.
struct Judgement {
    core::PublicPoint attestation_key;
    core::PublicPoint approver;
    std::string tenant;
    Sha256Digest binding{};
    std::optional<Clock> last;
};

/// The quote is of that TPM, fresh, bound to the proxy's identity, its clock has not gone back, and
/// the tenant has approved the state that it shows.
Result<QuoteFacts> judge(const Evidence& evidence, const Judgement& known);

}  // namespace pgveil::attest
