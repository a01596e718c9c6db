#include "keyshare/tpm/attestation.hpp"

namespace pgveil::tpm {

Result<attest::TpmKeys> keys_of(const std::string& place) {
    auto tpm = Tpm::open(place, std::nullopt);
    if (!tpm.has_value()) {
        return tpm.error();
    }
    const auto endorsement = tpm->endorsement_key();
    if (!endorsement.has_value()) {
        return endorsement.error();
    }
    const auto attestation = tpm->attestation_key();
    if (!attestation.has_value()) {
        return attestation.error();
    }
    auto certificate = tpm->endorsement_certificate();
    if (!certificate.has_value()) {
        return certificate.error();
    }
    return attest::TpmKeys{*endorsement, *attestation, *std::move(certificate)};
}

namespace {

/// Measures, and lets the TPM quote what it measured.
seal::Result<attest::Evidence> evidence_of(
    Tpm& tpm, const TpmSealOptions& options, const attest::Sha256Digest& extra
) {
    auto state = approved_state(tpm, options);
    if (!state.has_value()) {
        return state.error();
    }
    const auto measured = tpm.measure(options.measurement.digests());
    if (!measured.has_value()) {
        return seal::Error{measured.error().message};
    }
    auto quote = tpm.quote(attest::selection_of(state->statement.values()), extra);
    if (!quote.has_value()) {
        return seal::Error{quote.error().message};
    }
    return attest::Evidence{std::move(state->statement), state->approval, *std::move(quote)};
}

}  // namespace

seal::Result<attest::Evidence> answer(
    const TpmSealOptions& options, const attest::Challenge& challenge
) {
    auto tpm = Tpm::open(options.place, std::nullopt);
    if (!tpm.has_value()) {
        return seal::Error{tpm.error().message};
    }
    const auto approved = approved_state(*tpm, options);
    if (!approved.has_value()) {
        return approved.error();
    }
    const auto secret = tpm->activate(challenge.credential);
    if (!secret.has_value()) {
        return seal::Error{secret.error().message};
    }
    return evidence_of(
        *tpm, options, attest::quote_binding(challenge.nonce, challenge.identity, *secret)
    );
}

seal::Result<Testimony> testify(const TpmSealOptions& options, const attest::Sha256Digest& extra) {
    auto tpm = Tpm::open(options.place, std::nullopt);
    if (!tpm.has_value()) {
        return seal::Error{tpm.error().message};
    }
    auto evidence = evidence_of(*tpm, options, extra);
    if (!evidence.has_value()) {
        return evidence.error();
    }
    const auto key = tpm->attestation_key();
    if (!key.has_value()) {
        return seal::Error{key.error().message};
    }
    return Testimony{*key, *std::move(evidence)};
}

}  // namespace pgveil::tpm
