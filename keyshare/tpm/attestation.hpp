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

}  // namespace pgveil::tpm
