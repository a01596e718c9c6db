#include "keyshare/core/libcrypto.hpp"

#include "keyshare/core/invariant.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <climits>

namespace pgveil::core {
namespace {

template <class Algorithm>
Algorithm* there(Algorithm* fetched) {
    invariant(
        fetched != nullptr, "libcrypto's default provider has the algorithm and memory for it"
    );
    return fetched;
}

const EVP_CIPHER* aes_256_ecb() {
    static const EVP_CIPHER* const cipher =
        there(EVP_CIPHER_fetch(nullptr, "AES-256-ECB", nullptr));
    return cipher;
}

}  // namespace

bool succeeded(int returned) noexcept {
    if (returned == 1) {
        return true;
    }
    ERR_clear_error();
    return false;
}

void must(int returned, const char* what_must_hold) noexcept {
    invariant(returned == 1, what_must_hold);
}

int int_size(std::size_t size) noexcept {
    invariant(size <= INT_MAX, "one message is shorter than 2 GiB");
    return static_cast<int>(size);
}

const unsigned char* pointer_of(ByteView bytes) noexcept {
    static constexpr unsigned char kNothing = 0;
    return bytes.empty() ? &kNothing : bytes.data();
}

const EVP_CIPHER* aes_256_gcm() {
    static const EVP_CIPHER* const cipher =
        there(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
    return cipher;
}

CipherContext aes_256_blocks(ByteView key) {
    CipherContext cipher(EVP_CIPHER_CTX_new());
    invariant(cipher != nullptr, "there is memory for an AES context");
    must(
        EVP_EncryptInit_ex2(cipher.get(), aes_256_ecb(), key.data(), nullptr, nullptr),
        "AES takes its key"
    );
    must(EVP_CIPHER_CTX_set_padding(cipher.get(), 0), "AES-ECB works without padding");
    return cipher;
}

const EVP_CIPHER* aes_256_ctr() {
    static const EVP_CIPHER* const cipher =
        there(EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr));
    return cipher;
}

const EVP_MD* sha_256() {
    static const EVP_MD* const digest = there(EVP_MD_fetch(nullptr, "SHA256", nullptr));
    return digest;
}

EVP_MAC* mac_algorithm_cmac() {
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): EVP_MAC_CTX_new
    static EVP_MAC* const mac = there(EVP_MAC_fetch(nullptr, "CMAC", nullptr));
    return mac;
}

}  // namespace pgveil::core
