#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/error.hpp"
#include "keyshare/core/handles.hpp"
#include "keyshare/core/nettle_aes.hpp"
#include "keyshare/core/secret.hpp"

#include <cstddef>
#include <variant>

namespace pgveil::core {

inline constexpr std::size_t kAes256KeySize = 32;
inline constexpr std::size_t kGcmNonceSize = 12;
inline constexpr std::size_t kGcmTagSize = 16;

/// AES-256-GCM (NIST SP 800-38D) with a 96-bit nonce and a 128-bit tag, for HPKE and below XAES.
///
/// Not for stored values: a random 96-bit nonce allows only 2^32 of them per key. Use xaes.hpp. A
/// nonce must never repeat under one key. Not key-committing. Round keys live as long as the
/// object. One thread at a time.
class Aes256Gcm {
public:
    /// Without a key: rekey() comes before anything else (invariant).
    explicit Aes256Gcm(AesLibrary library = suitable_aes_library());
    /// `key` is 32 bytes (invariant).
    explicit Aes256Gcm(ByteView key, AesLibrary library = suitable_aes_library());

    /// Goes on with another key in the same context; cheaper than a new object.
    void rekey(ByteView key);

    /// Ciphertext, then tag. `nonce` is 12 bytes (invariant). Plaintext and associated data below
    /// 2^31 bytes.
    Bytes seal(ByteView nonce, ByteView associated, ByteView plaintext);
    /// The same into `out`, which is plaintext.size() + kGcmTagSize bytes long (invariant) and must
    /// not overlap.
    void seal_into(ByteView nonce, ByteView associated, ByteView plaintext, MutableByteView out);
    /// kAuthentication when the tag does not fit; the unauthenticated plaintext is wiped and never
    /// shown.
    Result<SecretBytes> open(ByteView nonce, ByteView associated, ByteView sealed);
    /// The same into `out`, which is sealed.size() - kGcmTagSize bytes long (invariant) and must
    /// not overlap. False: kAuthentication, and `out` is wiped.
    [[nodiscard]] bool open_into(
        ByteView nonce, ByteView associated, ByteView sealed, MutableByteView out
    );

private:
    std::variant<NettleGcm, CipherContext> cipher_;
    bool has_key_ = false;
};

}  // namespace pgveil::core
