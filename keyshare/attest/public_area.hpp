#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/p256.hpp"

#include <array>
#include <cstdint>

// The few kinds of key and object that pgveil has in a TPM. A verifier never reads attributes that
// somebody claims: it writes the one public area (TPMT_PUBLIC, TPM 2.0 Library, Part 2, section
// 12.2.4) that an honest proxy's key has, around the point, and computes the name of that.
namespace pgveil::attest {

/// Algorithm (2 bytes) and SHA-256 of a public area: how a TPM names an object.
using Name = std::array<std::uint8_t, 2 + core::kSha256Size>;

enum class KeyKind {
    kEndorsement,  ///< TCG EK Credential Profile, template L-2 (P-256, SHA-256, AES-128)
    kStorageRoot,  ///< restricted decryption key, the parent of what is sealed
    kAttestation,  ///< restricted signing key: signs nothing but what the TPM itself says
    kApprover,     ///< the tenant's key, known to the TPM by its public half only
};

/// The public area of the key with this point.
core::Bytes public_area(KeyKind kind, const core::PublicPoint& point);

/// What a TPM is asked to make a primary key from.
core::Bytes key_template(KeyKind kind);
/// The same for the endorsement key that its maker certifies (RSA of 2048 bits, template L-1).
core::Bytes certified_key_template();

/// What a TPM is asked to seal a secret with: bound to this TPM and parent, opened by the policy
/// only.
core::Bytes sealed_template(const core::Sha256Digest& policy);

Name name_of(core::ByteView public_area);
Name name_of(KeyKind kind, const core::PublicPoint& point);

/// A counter in the TPM's own memory, whose password is empty: whoever reaches the TPM may count it
/// up, nobody down.
core::Bytes counter_area(std::uint32_t index, bool is_written);
Name counter_name(std::uint32_t index);

/// The qualified name of a primary key of the endorsement hierarchy (Part 1, section 16).
Name qualified_name(const Name& name);

}  // namespace pgveil::attest
