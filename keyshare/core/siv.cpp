#include "keyshare/core/siv.hpp"

#include "keyshare/core/libcrypto.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <climits>
#include <string>

namespace pgveil::core {
namespace {

constexpr std::size_t kHalfKey = kSivKeySize / 2;
using Block = std::array<std::uint8_t, kSivSize>;

// RFC 5297 section 2.3: dbl(), without a branch on the secret top bit.
Block doubled(const Block& block) {
    Block out{};
    for (std::size_t i = 0; i + 1 < block.size(); ++i) {
        out[i] = static_cast<std::uint8_t>((block[i] << 1U) | (block[i + 1] >> 7U));
    }
    const auto top_bit = static_cast<unsigned>(block.front()) >> 7U;
    out.back() = static_cast<std::uint8_t>((unsigned{block.back()} << 1U) ^ (top_bit * 0x87U));
    return out;
}

void xor_into(Block& to, ByteView with) {
    for (std::size_t i = 0; i < with.size(); ++i) {
        to[i] ^= with[i];
    }
}

/// Under a key of zeros, to be copied: libcrypto looks for the cipher by its name whenever it is
/// told one, which takes longer than a CMAC.
MacContext cmac_to_copy() {
    MacContext mac(EVP_MAC_CTX_new(mac_algorithm_cmac()));
    invariant(mac != nullptr, "there is memory for a CMAC");
    std::string name = "AES-256-CBC";
    const std::array<OSSL_PARAM, 2> parameters = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, name.data(), 0),
        OSSL_PARAM_construct_end()};
    const std::array<std::uint8_t, kHalfKey> zeros{};
    must(
        EVP_MAC_init(mac.get(), zeros.data(), zeros.size(), parameters.data()), "CMAC takes its key"
    );
    return mac;
}

MacContext keyed_libcrypto_cmac(ByteView key) {
    thread_local const MacContext original = cmac_to_copy();
    MacContext mac(EVP_MAC_CTX_dup(original.get()));
    invariant(mac != nullptr, "there is memory for a CMAC");
    must(EVP_MAC_init(mac.get(), key.data(), key.size(), nullptr), "CMAC takes its key");
    return mac;
}

CipherContext keyed_counter_mode(ByteView key) {
    CipherContext cipher(EVP_CIPHER_CTX_new());
    invariant(cipher != nullptr, "there is memory for an AES-CTR context");
    must(
        EVP_EncryptInit_ex2(cipher.get(), aes_256_ctr(), key.data(), nullptr, nullptr),
        "AES-CTR takes its key"
    );
    return cipher;
}

ByteView checked(ByteView key) {
    invariant(key.size() == kSivKeySize, "an AES-256-SIV key has 64 bytes");
    return key;
}

Error not_authentic() {
    return {
        ErrorCode::kAuthentication,
        "the synthetic IV does not fit: altered, of another place or another key"};
}

AesSiv::Components as_span(std::initializer_list<ByteView> parts) {
    return {parts.begin(), parts.size()};
}

void compute_by_libcrypto(
    EVP_MAC_CTX* mac, std::initializer_list<ByteView> message, MutableByteView out
) {
    must(EVP_MAC_init(mac, nullptr, 0, nullptr), "CMAC starts again with its key");
    for (const ByteView part : message) {
        must(EVP_MAC_update(mac, pointer_of(part), part.size()), "CMAC takes bytes");
    }
    std::size_t written = 0;
    must(EVP_MAC_final(mac, out.data(), &written, out.size()), "CMAC ends");
    invariant(written == out.size(), "AES-CMAC gives 16 bytes");
}

}  // namespace

AesSiv::Cmac AesSiv::keyed_cmac(ByteView key, AesLibrary library) {
    if (library == AesLibrary::kNettle) {
        return NettleCmac(key);
    }
    return keyed_libcrypto_cmac(key);
}

AesSiv::AesSiv(ByteView key, AesLibrary library)
    : mac_(keyed_cmac(checked(key).first(kHalfKey), library)),
      counter_(keyed_counter_mode(key.subspan(kHalfKey))) {}

AesSiv::Block AesSiv::cmac(std::initializer_list<ByteView> message) {
    Block out{};
    if (auto* const nettle = std::get_if<NettleCmac>(&mac_)) {
        nettle->compute(message, out);
    } else {
        compute_by_libcrypto(std::get<MacContext>(mac_).get(), message, out);
    }
    return out;
}

// RFC 5297 section 2.4, the last component: xorend for a block or more, pad() below.
AesSiv::Block AesSiv::cmac_of_end(ByteView plaintext, const Block& sum) {
    if (plaintext.size() >= kSivSize) {
        Block tail = sum;
        xor_into(tail, plaintext.last(kSivSize));
        const Block result = cmac({plaintext.first(plaintext.size() - kSivSize), tail});
        OPENSSL_cleanse(tail.data(), tail.size());
        return result;
    }
    Block padded = doubled(sum);
    xor_into(padded, plaintext);
    padded.at(plaintext.size()) ^= 0x80U;
    const Block result = cmac({padded});
    OPENSSL_cleanse(padded.data(), padded.size());
    return result;
}

AesSiv::Block AesSiv::synthetic_iv(Components associated, ByteView plaintext) {
    invariant(
        associated.size() <= kMaxComponents, "AES-SIV takes at most 126 associated components"
    );
    const Block zeros{};
    Block sum = cmac({zeros});
    for (const ByteView component : associated) {
        sum = doubled(sum);
        xor_into(sum, cmac({component}));
    }
    const Block result = cmac_of_end(plaintext, sum);
    OPENSSL_cleanse(sum.data(), sum.size());
    return result;
}

void AesSiv::apply_counter_mode(const Block& siv, ByteView from, MutableByteView to) {
    if (from.empty()) {
        return;
    }
    // Section 2.5: two bits are cleared, so that 32- and 64-bit counters never carry.
    Block start = siv;
    start[8] &= 0x7FU;
    start[12] &= 0x7FU;
    must(
        EVP_EncryptInit_ex2(counter_.get(), nullptr, nullptr, start.data(), nullptr),
        "AES-CTR takes a counter"
    );
    int written = 0;
    must(
        EVP_EncryptUpdate(counter_.get(), to.data(), &written, from.data(), int_size(from.size())),
        "AES-CTR takes bytes"
    );
    invariant(written == int_size(from.size()), "AES-CTR is a stream cipher");
}

Bytes AesSiv::seal(Components associated, ByteView plaintext) {
    const Block siv = synthetic_iv(associated, plaintext);
    Bytes out(kSivSize + plaintext.size());
    std::copy(siv.begin(), siv.end(), out.begin());
    apply_counter_mode(siv, plaintext, MutableByteView(out).subspan(kSivSize));
    return out;
}

Bytes AesSiv::seal(std::initializer_list<ByteView> associated, ByteView plaintext) {
    return seal(as_span(associated), plaintext);
}

Result<SecretBytes> AesSiv::open(Components associated, ByteView sealed) {
    if (sealed.size() < kSivSize || sealed.size() > INT_MAX) {
        return not_authentic();
    }
    Block siv{};
    std::copy_n(sealed.begin(), kSivSize, siv.begin());
    SecretBytes plaintext(sealed.size() - kSivSize);
    apply_counter_mode(siv, sealed.subspan(kSivSize), plaintext.reveal_mutable());
    if (!equal_in_constant_time(synthetic_iv(associated, plaintext.reveal()), siv)) {
        return not_authentic();
    }
    return plaintext;
}

Result<SecretBytes> AesSiv::open(std::initializer_list<ByteView> associated, ByteView sealed) {
    return open(as_span(associated), sealed);
}

}  // namespace pgveil::core
