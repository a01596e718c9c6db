#pragma once

#include "keyshare/attest/credential.hpp"
#include "keyshare/attest/error.hpp"
#include "keyshare/core/bytes.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/secret.hpp"

#include <array>
#include <string_view>

// The endorsement key that a TPM's maker certifies: RSA of 2048 bits (TCG EK Credential Profile,
// template L-1), beside which the TPM makes the P-256 key of template L-2 by itself.
namespace pgveil::attest {

/// The modulus; the exponent is 65537.
using EndorsementModulus = std::array<std::uint8_t, 256>;

/// Where a TPM keeps the certificate (TCG EK Credential Profile, section 2.2.1.4).
inline constexpr std::uint32_t kCertificateIndex = 0x01c00002;

/// The key in the certificate (DER; what a TPM's memory has behind it is ignored), if one of the
/// roots (PEM, one or many; each is trusted, intermediate ones, too) has signed it now, and it is
/// one for endorsement keys. Revocation is not asked for. Never throws on any bytes.
Result<EndorsementModulus> certified_endorsement(
    core::ByteView certificate, std::string_view roots
);

/// As make_credential() for a P-256 endorsement key.
Credential make_credential(
    const EndorsementModulus& endorsement_key,
    const core::PublicPoint& attestation_key,
    const core::SecretBytes& secret
);

}  // namespace pgveil::attest
