#pragma once

#include "keyshare/attest/error.hpp"
#include "keyshare/core/bytes.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/secret.hpp"

namespace pgveil::attest {

/// A secret that only the TPM with this endorsement key gives back, and only if it also holds the
/// attestation key that it is for. Both parts are public, and go to the TPM as they are.
struct Credential {
    core::Bytes object;  ///< TPM2B_ID_OBJECT without its size
    core::Bytes seed;    ///< TPM2B_ENCRYPTED_SECRET without its size
};

inline constexpr std::size_t kCredentialSecretSize = 32;

/// MakeCredential in software (TPM 2.0 Library, Part 1, section 24 and annex C.6.4). `secret` is of
/// kCredentialSecretSize bytes (invariant).
Credential make_credential(
    const core::PublicPoint& endorsement_key,
    const core::PublicPoint& attestation_key,
    const core::SecretBytes& secret
);

}  // namespace pgveil::attest
