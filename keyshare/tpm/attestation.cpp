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

seal::Result<attest::Evidence> answer(
    const TpmSealOptions& options, const attest::Challenge& challenge
) {
    const auto approval = find_approval(options);
    if (!approval.has_value()) {
        return approval.error();
    }
    auto state = state_of(options);
    auto tpm = Tpm::open(options.place, std::nullopt);
    if (!state.has_value() || !tpm.has_value()) {
        return seal::Error{state.has_value() ? tpm.error().message : state.error().message};
    }
    const auto secret = tpm->activate(challenge.credential);
    if (!secret.has_value()) {
        return seal::Error{secret.error().message};
    }
    const auto measured = tpm->measure(options.measurement.digests());
    if (!measured.has_value()) {
        return seal::Error{measured.error().message};
    }
    auto quote = tpm->quote(
        attest::selection_of(state->values()),
        attest::quote_binding(challenge.nonce, challenge.identity, *secret)
    );
    if (!quote.has_value()) {
        return seal::Error{quote.error().message};
    }
    return attest::Evidence{*std::move(state), *approval, *std::move(quote)};
}

}  // namespace pgveil::tpm
