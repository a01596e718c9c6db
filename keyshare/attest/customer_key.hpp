#pragma once

#include "keyshare/attest/policy.hpp"
#include "keyshare/attest/public_area.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/p256.hpp"

#include <optional>
#include <string_view>

// Keys that a TPM makes for a customer (P-256), and who may move them. Attributes and policy are
// part of the public area and so of the name: what a TPM certifies by name is a key with exactly
// this control of its migration.
namespace pgveil::attest {

enum class Migration {
    kNone,        ///< never leaves its TPM (fixedTPM, fixedParent)
    kFree,        ///< whoever uses it in its TPM may duplicate it, to wherever he likes
    kControlled,  ///< is duplicated only for parents that an authority has approved by signature
};

enum class KeyUse {
    kSigning,    ///< ECDSA with SHA-256
    kAgreement,  ///< ECDH: receives encrypted messages
};

/// Whose signature lets a controlled key move, and what that signature must be for.
struct MigrationAuthority {
    core::PublicPoint key;
    core::Sha256Digest purpose{};

    friend bool operator==(const MigrationAuthority&, const MigrationAuthority&) = default;
};

struct KeyDesign {
    Migration migration = Migration::kNone;
    KeyUse use = KeyUse::kSigning;
    std::optional<MigrationAuthority> authority;  ///< of kControlled, and of no other (invariant)
};

/// What a TPM is asked to make a key of this design from.
core::Bytes key_template(const KeyDesign& design);
/// The public area of the key of this design with this point.
core::Bytes public_area(const KeyDesign& design, const core::PublicPoint& point);
Name name_of(const KeyDesign& design, const core::PublicPoint& point);

/// What an authority signs (approve()) to let keys move under this storage root key, and under no
/// other: PolicyDuplicationSelect of the new parent (TPM 2.0 Library, Part 3, section 23.15).
Sha256Digest duplication_policy(const Name& new_parent);

/// SHA-256(LP("pgveil/1 key migration", tenant)): an approval for one tenant's keys moves no
/// other's.
Sha256Digest migration_purpose(std::string_view tenant);

}  // namespace pgveil::attest
