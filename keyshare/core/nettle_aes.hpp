#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"

#include <initializer_list>

// AES-256, AES-256-GCM and AES-256-CMAC by nettle, for gcm.hpp, siv.hpp and below XAES: a value of
// a few bytes costs a quarter of what libcrypto's EVP calls cost. The contexts are plain blocks of
// bytes that stand in SecretBytes; what the calls leave in vector registers and on the stack is
// cleared behind each.
namespace pgveil::core {

enum class AesLibrary { kNettle, kLibcrypto };

/// kNettle where the processor has AES-NI and PCLMULQDQ. Without them nettle looks values up in
/// tables, and whoever shares the cache sees where.
AesLibrary suitable_aes_library() noexcept;

/// As Aes256Gcm, without checks of sizes. One thread at a time.
class NettleGcm {
public:
    /// Without a key: rekey() comes before anything else.
    NettleGcm();

    void rekey(ByteView key);

    void seal_into(ByteView nonce, ByteView associated, ByteView plaintext, MutableByteView out);
    /// False: the tag does not fit, and `out` is wiped.
    bool open_into(ByteView nonce, ByteView associated, ByteView sealed, MutableByteView out);

private:
    SecretBytes state_;
};

/// AES-256 (FIPS 197) of single blocks. One thread at a time.
class NettleAes256 {
public:
    explicit NettleAes256(ByteView key);

    /// 16 bytes each; they may be the same.
    void encrypt_block(ByteView from, MutableByteView to);

private:
    SecretBytes state_;
};

/// AES-256-CMAC (NIST SP 800-38B) of any number of messages under one key. One thread at a time.
class NettleCmac {
public:
    explicit NettleCmac(ByteView key);

    /// 16 bytes, of the parts as one message.
    void compute(std::initializer_list<ByteView> message, MutableByteView out);

private:
    SecretBytes state_;
};

}  // namespace pgveil::core
