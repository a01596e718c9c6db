#include "keyshare/core/gcm.hpp"

#include "keyshare/core/libcrypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <climits>

namespace pgveil::core {
namespace {

Error not_authentic() {
    return {
        ErrorCode::kAuthentication,
        "the authentication tag does not fit: altered, of another place or another key"};
}

void set_tag(EVP_CIPHER_CTX* context, ByteView tag) {
    std::array<std::uint8_t, kGcmTagSize> expected{};
    std::copy(tag.begin(), tag.end(), expected.begin());
    must(
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kGcmTagSize, expected.data()),
        "GCM takes a tag"
    );
}

// libcrypto checks the tag here and gives no plaintext byte a meaning before.
bool finish(EVP_CIPHER_CTX* context) {
    std::array<std::uint8_t, kGcmTagSize> rest{};
    int written = 0;
    return succeeded(EVP_CipherFinal_ex(context, rest.data(), &written)) && written == 0;
}

void start(EVP_CIPHER_CTX* context, ByteView nonce, ByteView associated, int encrypt) {
    invariant(nonce.size() == kGcmNonceSize, "a GCM nonce has 12 bytes");
    must(
        EVP_CipherInit_ex2(context, nullptr, nullptr, nonce.data(), encrypt, nullptr),
        "GCM takes a nonce"
    );
    int written = 0;
    if (!associated.empty()) {
        const int size = int_size(associated.size());
        must(
            EVP_CipherUpdate(context, nullptr, &written, associated.data(), size),
            "GCM takes associated bytes"
        );
    }
}

void update(EVP_CIPHER_CTX* context, ByteView from, std::uint8_t* to) {
    if (from.empty()) {
        return;
    }
    int written = 0;
    must(
        EVP_CipherUpdate(context, to, &written, from.data(), int_size(from.size())),
        "GCM takes bytes"
    );
    invariant(written == int_size(from.size()), "GCM is a stream cipher");
}

CipherContext new_context() {
    CipherContext context(EVP_CIPHER_CTX_new());
    invariant(context != nullptr, "there is memory for an AES-GCM context");
    must(
        EVP_CipherInit_ex2(context.get(), aes_256_gcm(), nullptr, nullptr, 1, nullptr),
        "AES-GCM waits for its key"
    );
    return context;
}

void seal_by_libcrypto(
    EVP_CIPHER_CTX* context,
    ByteView nonce,
    ByteView associated,
    ByteView plaintext,
    MutableByteView out
) {
    start(context, nonce, associated, 1);
    update(context, plaintext, out.data());
    invariant(finish(context), "AES-GCM encryption ends");
    std::uint8_t* tag = out.last(kGcmTagSize).data();
    must(
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kGcmTagSize, tag),
        "AES-GCM gives its tag"
    );
}

bool open_by_libcrypto(
    EVP_CIPHER_CTX* context,
    ByteView nonce,
    ByteView associated,
    ByteView sealed,
    MutableByteView out
) {
    start(context, nonce, associated, 0);
    set_tag(context, sealed.last(kGcmTagSize));
    update(context, sealed.first(out.size()), out.data());
    if (finish(context)) {
        return true;
    }
    OPENSSL_cleanse(out.data(), out.size());
    return false;
}

}  // namespace

Aes256Gcm::Aes256Gcm(AesLibrary library) {
    if (library == AesLibrary::kLibcrypto) {
        cipher_ = new_context();
    }
}

Aes256Gcm::Aes256Gcm(ByteView key, AesLibrary library) : Aes256Gcm(library) {
    rekey(key);
}

void Aes256Gcm::rekey(ByteView key) {
    invariant(key.size() == kAes256KeySize, "an AES-256 key has 32 bytes");
    has_key_ = true;
    if (auto* const nettle = std::get_if<NettleGcm>(&cipher_)) {
        return nettle->rekey(key);
    }
    EVP_CIPHER_CTX* const context = std::get<CipherContext>(cipher_).get();
    must(
        EVP_CipherInit_ex2(context, nullptr, key.data(), nullptr, 1, nullptr),
        "AES-GCM takes its key"
    );
}

Bytes Aes256Gcm::seal(ByteView nonce, ByteView associated, ByteView plaintext) {
    Bytes out(plaintext.size() + kGcmTagSize);
    seal_into(nonce, associated, plaintext, out);
    return out;
}

void Aes256Gcm::seal_into(
    ByteView nonce, ByteView associated, ByteView plaintext, MutableByteView out
) {
    invariant(
        has_key_ && nonce.size() == kGcmNonceSize, "AES-GCM has a key, and 12 bytes of nonce"
    );
    invariant(
        out.size() == plaintext.size() + kGcmTagSize, "the output has room for the text and its tag"
    );
    if (auto* const nettle = std::get_if<NettleGcm>(&cipher_)) {
        return nettle->seal_into(nonce, associated, plaintext, out);
    }
    seal_by_libcrypto(std::get<CipherContext>(cipher_).get(), nonce, associated, plaintext, out);
}

Result<SecretBytes> Aes256Gcm::open(ByteView nonce, ByteView associated, ByteView sealed) {
    if (nonce.size() != kGcmNonceSize || sealed.size() < kGcmTagSize || sealed.size() > INT_MAX) {
        return not_authentic();
    }
    SecretBytes plaintext(sealed.size() - kGcmTagSize);
    if (!open_into(nonce, associated, sealed, plaintext.reveal_mutable())) {
        return not_authentic();
    }
    return plaintext;
}

bool Aes256Gcm::open_into(
    ByteView nonce, ByteView associated, ByteView sealed, MutableByteView out
) {
    invariant(
        has_key_ && nonce.size() == kGcmNonceSize, "AES-GCM has a key, and 12 bytes of nonce"
    );
    invariant(sealed.size() == out.size() + kGcmTagSize, "the output has room for the plaintext");
    if (auto* const nettle = std::get_if<NettleGcm>(&cipher_)) {
        return nettle->open_into(nonce, associated, sealed, out);
    }
    return open_by_libcrypto(
        std::get<CipherContext>(cipher_).get(), nonce, associated, sealed, out
    );
}

}  // namespace pgveil::core
