#pragma once

#include "keyshare/attest/error.hpp"
#include "keyshare/attest/public_area.hpp"
#include "keyshare/attest/quote.hpp"
#include "keyshare/core/p256.hpp"

#include <string>
#include <string_view>

// The texts by which a key goes from one TPM to another. Parsers are strict: exactly what to_text
// writes; they never throw on any text.
namespace pgveil::catalogue {

/// Where a key can go: a TPM's storage root key, and its word that the key is in it.
struct KeyTarget {
    core::PublicPoint storage_root;
    core::PublicPoint attestation;
    attest::Signed certificate;

    attest::Name parent() const;
};

/// The extra of that certificate: SHA-256("pgveil/1 key target"). It need not be fresh, because the
/// storage root key of a TPM does not leave it.
attest::Sha256Digest target_binding();

std::string to_text(const KeyTarget& target);
/// Also verifies the certificate; whether the attestation key is a genuine TPM's, is the caller's
/// question.
attest::Result<KeyTarget> parse_target(std::string_view text);

/// A key on its way: its signed record, and what only the target opens. Public.
struct KeyTransfer {
    std::string record;  ///< JWS
    core::Bytes public_part;
    core::Bytes private_part;
    core::Bytes seed;
};

std::string to_text(const KeyTransfer& transfer);
attest::Result<KeyTransfer> parse_transfer(std::string_view text);

/// What a TPM said about a key that it has, and everything to verify it with.
struct KeyCertificate {
    attest::Sha256Digest nonce{};
    std::string record;  ///< JWS
    attest::Signed certificate;
};

/// The extra of the certificate: SHA-256(LP("pgveil/1 key certificate", nonce, record)).
attest::Sha256Digest certificate_binding(
    const attest::Sha256Digest& nonce, std::string_view record
);

std::string to_text(const KeyCertificate& certificate);
attest::Result<KeyCertificate> parse_certificate(std::string_view text);

}  // namespace pgveil::catalogue
