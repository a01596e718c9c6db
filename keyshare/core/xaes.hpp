#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/error.hpp"
#include "keyshare/core/gcm.hpp"
#include "keyshare/core/handles.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>

namespace pgveil::core {

inline constexpr std::size_t kXaesNonceSize = 24;
inline constexpr std::size_t kXaesTagSize = kGcmTagSize;
inline constexpr std::size_t kXaesPrefixSize = 12;
using XaesNonce = std::array<std::uint8_t, kXaesNonceSize>;

/// XAES-256-GCM (c2sp.org/XAES-256-GCM): authenticated encryption with a 192-bit nonce that may be
/// random.
///
/// Hides the plaintext but not its length; authenticates plaintext and associated data; does not
/// hide that two calls used the same associated data, is not key-committing and not safe when a
/// nonce repeats. The object remembers the AES-GCM key derived from the last nonce's first 12
/// bytes: consecutive values with one prefix (XaesNonces) pay for one derivation. So key and
/// derived round keys live exactly as long as the object: keep it inside one request. One thread at
/// a time.
class Xaes256Gcm {
public:
    /// `key` is 32 bytes (invariant).
    explicit Xaes256Gcm(ByteView key, AesLibrary library = suitable_aes_library());

    /// Ciphertext, then tag: plaintext.size() + 16 bytes. The nonce is not part of the result.
    Bytes seal(const XaesNonce& nonce, ByteView associated, ByteView plaintext);
    /// The same into `out` of plaintext.size() + 16 bytes (invariant).
    void seal_into(
        const XaesNonce& nonce, ByteView associated, ByteView plaintext, MutableByteView out
    );
    /// `nonce` of another size than 24 is kLength, everything else that does not fit is
    /// kAuthentication.
    Result<SecretBytes> open(ByteView nonce, ByteView associated, ByteView sealed);
    /// The same into `out` of sealed.size() - kXaesTagSize bytes (invariant); `nonce` has 24
    /// (invariant). False: kAuthentication, and `out` is wiped.
    [[nodiscard]] bool open_into(
        ByteView nonce, ByteView associated, ByteView sealed, MutableByteView out
    );

private:
    using BlockCipher = std::variant<NettleAes256, CipherContext>;

    static BlockCipher block_cipher(ByteView key, AesLibrary library);
    void encrypt_block(ByteView from, MutableByteView to);
    void use_prefix(ByteView prefix);

    BlockCipher block_cipher_;
    Secret<struct XaesSubkey, 16> subkey_;
    Secret<struct XaesDerivedKey, kAes256KeySize> derived_;
    std::array<std::uint8_t, kXaesPrefixSize> prefix_{};
    bool has_prefix_ = false;
    Aes256Gcm gcm_;
};

/// One call each, for single values: nonce(24) || ciphertext || tag(16), with a fresh random nonce.
Bytes xaes_seal(ByteView key, ByteView associated, ByteView plaintext, RandomSource& random);
/// kLength when shorter than 40 bytes, kAuthentication when the tag does not fit.
Result<SecretBytes> xaes_open(ByteView key, ByteView associated, ByteView nonce_and_sealed);

/// Nonces for one key: a random prefix kept for 2^16 values, a random rest per value. Plain XAES
/// nonces to every reader; N values collide with probability about N * 2^-81. Never share one
/// sequence between two keys' objects that are used in turns: it stays correct, but loses the
/// saving. One thread.
class XaesNonces {
public:
    static constexpr std::uint32_t kValuesPerPrefix = 1U << 16U;

    XaesNonce next(RandomSource& random);

private:
    XaesNonce nonce_{};
    std::uint32_t left_ = 0;
};

}  // namespace pgveil::core
