#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/error.hpp"
#include "keyshare/core/gcm.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/secret.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace pgveil::core {

/// HPKE (RFC 9180), base mode, DHKEM(P-256, HKDF-SHA256) 0x0010, HKDF-SHA256 0x0001, AES-256-GCM
/// 0x0002. Seals to a public key; says nothing about who sealed. No forward secrecy against the
/// recipient's key.

/// A recipient's key. Store scalar (sealed) and point separately; the point follows from the
/// scalar.
struct HpkeKeyPair {
    Scalar scalar;
    PublicPoint point;

    static HpkeKeyPair generate();
    /// kKey when the scalar is out of range.
    static Result<HpkeKeyPair> from_scalar(Scalar scalar);
};

/// enc(65) and tag(16).
inline constexpr std::size_t kHpkeOverhead = kPointSize + kGcmTagSize;

/// One message: enc(65) || ciphertext || tag(16). `info` separates purposes (CRYPTO.md section 1).
/// Any thread.
Bytes hpke_seal(
    const PublicPoint& recipient, ByteView info, ByteView associated, ByteView plaintext
);

/// kLength when shorter than kHpkeOverhead, kKey when enc is no point, kAuthentication otherwise.
Result<SecretBytes> hpke_open(
    const HpkeKeyPair& recipient, ByteView info, ByteView associated, ByteView message
);

/// The encryption context of RFC 9180 section 5.2 for several messages in order; the one-shot calls
/// use its first. One thread; each side counts its messages itself.
class HpkeContext {
public:
    Bytes seal(ByteView associated, ByteView plaintext);
    /// A failed open does not advance the count.
    Result<SecretBytes> open(ByteView associated, ByteView sealed);

private:
    friend HpkeContext hpke_key_schedule(ByteView shared_secret, ByteView info);
    HpkeContext(Aes256Gcm cipher, Secret<struct HpkeNonce, kGcmNonceSize> base_nonce);
    std::array<std::uint8_t, kGcmNonceSize> nonce() const;

    Aes256Gcm cipher_;
    Secret<struct HpkeNonce, kGcmNonceSize> base_nonce_;
    std::uint64_t sequence_ = 0;
};

struct HpkeSender {
    PublicPoint enc;
    HpkeContext context;
};

/// SetupBaseS with a given ephemeral key: deterministic, for the published vectors. Never reuse an
/// ephemeral key.
Result<HpkeSender> hpke_setup_sender(
    const PublicPoint& recipient, ByteView info, const HpkeKeyPair& ephemeral
);
/// SetupBaseR.
Result<HpkeContext> hpke_setup_receiver(const HpkeKeyPair& recipient, ByteView info, ByteView enc);
/// KeySchedule of section 5.1 for mode_base, with an empty psk.
HpkeContext hpke_key_schedule(ByteView shared_secret, ByteView info);

}  // namespace pgveil::core
