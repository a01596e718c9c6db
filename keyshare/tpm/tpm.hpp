#pragma once

#include "keyshare/attest/approval.hpp"
#include "keyshare/attest/credential.hpp"
#include "keyshare/attest/customer_key.hpp"
#include "keyshare/attest/policy.hpp"
#include "keyshare/attest/public_area.hpp"
#include "keyshare/attest/quote.hpp"
#include "keyshare/core/bytes.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/tpm/error.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace pgveil::tpm {

/// What the TPM gave back for a secret: only this TPM can load it again. Public.
struct SealedSecret {
    core::Bytes public_part;   ///< TPMT_PUBLIC
    core::Bytes private_part;  ///< TPM2B_PRIVATE without its size
};

/// How a sealed secret is protected, and what opens it.
struct Release {
    core::PublicPoint approver;
    attest::Sha256Digest purpose{};  ///< what the approval must be for
    std::uint32_t counter = 0;       ///< index of the TPM's counter
    std::uint64_t generation = 0;    ///< the counter's highest value with which it opens

    /// The policy of the sealed object.
    attest::Sha256Digest policy() const;
};

/// A key made for a customer.
struct CustomerKey {
    SealedSecret object;
    core::PublicPoint point;
    attest::Signed creation;  ///< attest::verify_creation() believes it
};

/// A key on its way to another TPM, encrypted for the storage root key there. Public.
struct MovingKey {
    core::Bytes public_part;   ///< TPMT_PUBLIC
    core::Bytes private_part;  ///< TPM2B_PRIVATE without its size
    core::Bytes seed;          ///< TPM2B_ENCRYPTED_SECRET without its size
};

/// An authority's signature on attest::duplication_policy() of the new parent.
struct MovePermit {
    attest::MigrationAuthority authority;
    attest::Approval approval;
};

/// A connection to a TPM 2.0, by tpm2-tss' ESAPI. Everything secret that goes over it is encrypted
/// under a session salted to the TPM's storage root key, whose name the caller can pin; without a
/// pin who sits on the wire from the first use on can read along.
///
/// open() flushes what a crashed program has left in the TPM: three objects and three sessions are
/// all that fit. So one program at a time may use a TPM without a resource manager; with the
/// kernel's (/dev/tpmrm0) each has its own. Every object and session that a call makes is gone when
/// it returns. Calls take 1 to 50 ms and block: never on an event loop. One thread at a time.
///
/// tpm2-tss writes on standard error when a call fails, unless the environment sets TSS2_LOG; the
/// first open() sets it to silence, if it is not set, so it comes before other threads begin.
class Tpm {
public:
    /// `place` is a TCTI configuration (tss2-tctildr): "device:/dev/tpmrm0", or
    /// "swtpm:path=SOCKET", whose control channel is SOCKET.ctrl. kForeign if the storage root key
    /// is not the pinned one.
    static Result<Tpm> open(const std::string& place, const std::optional<attest::Name>& pinned);
    Tpm(Tpm&&) noexcept;
    Tpm& operator=(Tpm&&) noexcept;
    Tpm(const Tpm&) = delete;
    Tpm& operator=(const Tpm&) = delete;
    ~Tpm();

    /// To pin it.
    const attest::Name& storage_root() const;

    /// Random bytes of the TPM, at most 32 at once (invariant). Mix them: mixed_secret().
    Result<core::SecretBytes> random_bytes(std::size_t size);

    Result<attest::PcrValues> read_registers(const attest::PcrSelection& selection);
    /// Resets attest::kMeasuredPcr, and extends it with each digest.
    Result<void> measure(std::span<const attest::Sha256Digest> digests);

    /// A fresh counter at a free index, at its first value.
    Result<std::uint32_t> make_counter(core::RandomSource& random);
    Result<std::uint64_t> read_counter(std::uint32_t index);
    Result<void> count_up(std::uint32_t index);

    /// At most 128 bytes (invariant).
    Result<SealedSecret> seal(const core::SecretBytes& secret, const attest::Sha256Digest& policy);
    /// The registers must hold the values that the approval is for: kRefused otherwise, or if the
    /// counter has passed the generation.
    Result<core::SecretBytes> unseal(
        const SealedSecret& sealed,
        const Release& release,
        const attest::PcrSelection& registers,
        const attest::Approval& approval
    );

    /// The same keys each time, until the TPM is cleared or its endorsement seed changed.
    Result<core::PublicPoint> endorsement_key();
    Result<core::PublicPoint> attestation_key();
    /// The certificate that the TPM's maker has left in it, as it lies there; empty if there is
    /// none.
    Result<core::Bytes> endorsement_certificate();
    Result<attest::Signed> quote(
        const attest::PcrSelection& registers, const attest::Sha256Digest& extra
    );
    /// What Certify says about the storage root key: that it is in the TPM of the attestation key.
    Result<attest::Signed> certify_storage_root(const attest::Sha256Digest& extra);
    /// The credential's secret, for either endorsement key; kRefused if it is for other keys.
    Result<core::SecretBytes> activate(const attest::Credential& credential);

    /// Makes a key under the storage root key. The TPM's generator is stirred with bytes of
    /// `random` first. `extra` goes into the certificate of its creation.
    Result<CustomerKey> make_key(
        const attest::KeyDesign& design,
        const attest::Sha256Digest& extra,
        core::RandomSource& random
    );
    /// What Certify says about the key: that it is in this TPM now, and its name.
    Result<attest::Signed> certify(const SealedSecret& key, const attest::Sha256Digest& extra);
    /// The signature of a signing key on a SHA-256 digest.
    Result<core::Signature> sign(const SealedSecret& key, const attest::Sha256Digest& digest);
    /// The X coordinate that an agreement key has with this point: 32 bytes, not yet a key.
    Result<core::SecretBytes> agree(const SealedSecret& key, const core::PublicPoint& point);
    /// Encrypts the key for the TPM with this storage root key. kRefused if it may not move at all,
    /// or not there, or not without a permit.
    Result<MovingKey> duplicate(
        const SealedSecret& key,
        const core::PublicPoint& new_parent,
        const std::optional<MovePermit>& permit
    );
    /// The key that duplicate() has encrypted for this TPM. kRefused if it was for another, or
    /// altered. Says nothing about where the key was made.
    Result<SealedSecret> import_key(const MovingKey& key);
    const core::PublicPoint& storage_root_point() const;

private:
    class Impl;
    explicit Tpm(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// 32 bytes of both sources: no worse than the better of the two.
Result<core::SecretBytes> mixed_secret(Tpm& tpm, core::RandomSource& random);

}  // namespace pgveil::tpm
