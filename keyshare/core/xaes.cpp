#include "keyshare/core/xaes.hpp"

#include "keyshare/core/libcrypto.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace pgveil::core {
namespace {

constexpr std::size_t kBlock = 16;

// Step 2 of the specification: doubling in GF(2^128), without a branch on the secret top bit.
void double_block(MutableByteView block) {
    const auto carry_of_all = static_cast<std::uint8_t>(block[0] >> 7U);
    std::uint8_t carry = 0;
    for (std::size_t i = block.size(); i-- > 0;) {
        const auto next = static_cast<std::uint8_t>(block[i] >> 7U);
        block[i] = static_cast<std::uint8_t>((block[i] << 1U) | carry);
        carry = next;
    }
    block[block.size() - 1] ^= static_cast<std::uint8_t>(carry_of_all * 0x87U);
}

Error too_short() {
    return {ErrorCode::kLength, "an XAES-256-GCM message has a nonce of 24 bytes and a tag of 16"};
}

}  // namespace

Xaes256Gcm::BlockCipher Xaes256Gcm::block_cipher(ByteView key, AesLibrary library) {
    invariant(key.size() == kAes256KeySize, "an XAES-256-GCM key has 32 bytes");
    if (library == AesLibrary::kNettle) {
        return NettleAes256(key);
    }
    return aes_256_blocks(key);
}

Xaes256Gcm::Xaes256Gcm(ByteView key, AesLibrary library)
    : block_cipher_(block_cipher(key, library)), gcm_(library) {
    const std::array<std::uint8_t, kBlock> zeros{};
    encrypt_block(zeros, subkey_.reveal_mutable());
    double_block(subkey_.reveal_mutable());
}

void Xaes256Gcm::encrypt_block(ByteView from, MutableByteView to) {
    if (auto* const nettle = std::get_if<NettleAes256>(&block_cipher_)) {
        return nettle->encrypt_block(from, to);
    }
    EVP_CIPHER_CTX* const cipher = std::get<CipherContext>(block_cipher_).get();
    int written = 0;
    must(
        EVP_EncryptUpdate(cipher, to.data(), &written, from.data(), kBlock),
        "AES encrypts one block"
    );
    invariant(written == kBlock, "AES-ECB gives a block for a block");
}

// Steps 3 to 5 of the specification. KBKDF of OpenSSL 3.0 cannot be told the counter's 16 bits and
// derives another key.
void Xaes256Gcm::use_prefix(ByteView prefix) {
    if (has_prefix_ && std::equal(prefix.begin(), prefix.end(), prefix_.begin(), prefix_.end())) {
        return;
    }
    Secret<struct XaesMessage, kBlock> message;
    for (std::uint8_t counter = 1; counter <= 2; ++counter) {
        const MutableByteView block = message.reveal_mutable();
        block[0] = 0;
        block[1] = counter;
        block[2] = 'X';
        block[3] = 0;
        std::copy(prefix.begin(), prefix.end(), block.begin() + 4);
        for (std::size_t i = 0; i < kBlock; ++i) {
            block[i] ^= subkey_.reveal()[i];
        }
        const std::size_t half = (counter - 1U) * kBlock;
        encrypt_block(block, MutableByteView(derived_.reveal_mutable()).subspan(half, kBlock));
    }
    gcm_.rekey(derived_.reveal());
    std::copy(prefix.begin(), prefix.end(), prefix_.begin());
    has_prefix_ = true;
}

Bytes Xaes256Gcm::seal(const XaesNonce& nonce, ByteView associated, ByteView plaintext) {
    Bytes out(plaintext.size() + kXaesTagSize);
    seal_into(nonce, associated, plaintext, out);
    return out;
}

void Xaes256Gcm::seal_into(
    const XaesNonce& nonce, ByteView associated, ByteView plaintext, MutableByteView out
) {
    const ByteView all(nonce);
    use_prefix(all.first(kXaesPrefixSize));
    gcm_.seal_into(all.subspan(kXaesPrefixSize), associated, plaintext, out);
}

Result<SecretBytes> Xaes256Gcm::open(ByteView nonce, ByteView associated, ByteView sealed) {
    if (nonce.size() != kXaesNonceSize) {
        return too_short();
    }
    use_prefix(nonce.first(kXaesPrefixSize));
    return gcm_.open(nonce.subspan(kXaesPrefixSize), associated, sealed);
}

bool Xaes256Gcm::open_into(
    ByteView nonce, ByteView associated, ByteView sealed, MutableByteView out
) {
    invariant(nonce.size() == kXaesNonceSize, "an XAES-256-GCM nonce has 24 bytes");
    use_prefix(nonce.first(kXaesPrefixSize));
    return gcm_.open_into(nonce.subspan(kXaesPrefixSize), associated, sealed, out);
}

Bytes xaes_seal(ByteView key, ByteView associated, ByteView plaintext, RandomSource& random) {
    XaesNonce nonce{};
    random.fill(nonce);
    Bytes out(kXaesNonceSize + plaintext.size() + kXaesTagSize);
    std::copy(nonce.begin(), nonce.end(), out.begin());
    Xaes256Gcm(key).seal_into(
        nonce, associated, plaintext, MutableByteView(out).subspan(kXaesNonceSize)
    );
    return out;
}

Result<SecretBytes> xaes_open(ByteView key, ByteView associated, ByteView nonce_and_sealed) {
    if (nonce_and_sealed.size() < kXaesNonceSize + kXaesTagSize) {
        return too_short();
    }
    return Xaes256Gcm(key).open(
        nonce_and_sealed.first(kXaesNonceSize), associated, nonce_and_sealed.subspan(kXaesNonceSize)
    );
}

XaesNonce XaesNonces::next(RandomSource& random) {
    if (left_ == 0) {
        random.fill(MutableByteView(nonce_).first(kXaesPrefixSize));
        left_ = kValuesPerPrefix;
    }
    --left_;
    random.fill(MutableByteView(nonce_).subspan(kXaesPrefixSize));
    return nonce_;
}

}  // namespace pgveil::core
