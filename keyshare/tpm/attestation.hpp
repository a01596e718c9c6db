#pragma once

#include "keyshare/attest/exchange.hpp"
#include "keyshare/tpm/tpm_seal.hpp"

#include <string>

namespace pgveil::tpm {

/// The keys of the TPM at this place, for the tenant.
Result<attest::TpmKeys> keys_of(const std::string& place);

/// Measures, and answers the tenant's challenge. An error if the challenge is for another TPM, or
/// the tenant has not approved what is measured.
seal::Result<attest::Evidence> answer(
    const TpmSealOptions& options, const attest::Challenge& challenge
);

/// What a TPM says without a challenge for it alone: who asks knows its attestation key.
struct Testimony {
    core::PublicPoint attestation_key;
    attest::Evidence evidence;
};

/// Measures, and quotes with this in the extra data. An error if the tenant has not approved what
/// is measured.
seal::Result<Testimony> testify(const TpmSealOptions& options, const attest::Sha256Digest& extra);

}  // namespace pgveil::tpm
