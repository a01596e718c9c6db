#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/error.hpp"
#include "keyshare/core/handles.hpp"
#include "keyshare/core/nettle_aes.hpp"
#include "keyshare/core/secret.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <variant>

namespace pgveil::core {

inline constexpr std::size_t kSivKeySize = 64;
inline constexpr std::size_t kSivSize = 16;

/// AES-256-SIV (RFC 5297, AEAD_AES_SIV_CMAC_512): deterministic authenticated encryption.
///
/// Equal plaintexts under equal components give equal ciphertexts (that is its purpose, and shows);
/// everything else as an AEAD promises. Empty plaintexts are right here (OpenSSL 3.0's own AES-SIV
/// fails on them). The contexts hold round keys and live as long as the object: keep it inside one
/// request. One thread at a time.
class AesSiv {
public:
    using Components = std::span<const ByteView>;
    /// RFC 5297 section 2.6: the plaintext is one more component, and 127 is the most.
    static constexpr std::size_t kMaxComponents = 126;

    /// `key` is 64 bytes: the S2V half, then the counter-mode half (invariant).
    explicit AesSiv(ByteView key, AesLibrary library = suitable_aes_library());

    /// siv(16) || ciphertext; as long as the plaintext plus 16. The order and the number of
    /// components count.
    Bytes seal(Components associated, ByteView plaintext);
    Bytes seal(std::initializer_list<ByteView> associated, ByteView plaintext);

    /// kAuthentication for anything that seal() would not have made, too short input included.
    Result<SecretBytes> open(Components associated, ByteView sealed);
    Result<SecretBytes> open(std::initializer_list<ByteView> associated, ByteView sealed);

private:
    using Block = std::array<std::uint8_t, kSivSize>;

    using Cmac = std::variant<NettleCmac, MacContext>;

    static Cmac keyed_cmac(ByteView key, AesLibrary library);
    Block cmac(std::initializer_list<ByteView> message);
    Block cmac_of_end(ByteView plaintext, const Block& sum);
    Block synthetic_iv(Components associated, ByteView plaintext);
    void apply_counter_mode(const Block& siv, ByteView from, MutableByteView to);

    Cmac mac_;
    CipherContext counter_;
};

}  // namespace pgveil::core
