#include "keyshare/core/nettle_aes.hpp"

#include "keyshare/core/gcm.hpp"
#include "keyshare/core/traces.hpp"

#include <openssl/crypto.h>

#include <array>
#include <bit>
#include <nettle/aes.h>
#include <nettle/cmac.h>
#include <nettle/gcm.h>

namespace pgveil::core {
namespace {

constexpr std::size_t kBlock = 16;

// The arena aligns blocks to 16 bytes.
static_assert(
    alignof(gcm_aes256_ctx) <= 16 && alignof(aes256_ctx) <= 16 && alignof(cmac_aes256_ctx) <= 16
);

gcm_aes256_ctx* gcm_of(SecretBytes& state) {
    return std::bit_cast<gcm_aes256_ctx*>(state.reveal_mutable().data());
}

aes256_ctx* aes_of(SecretBytes& state) {
    return std::bit_cast<aes256_ctx*>(state.reveal_mutable().data());
}

cmac_aes256_ctx* cmac_of(SecretBytes& state) {
    return std::bit_cast<cmac_aes256_ctx*>(state.reveal_mutable().data());
}

}  // namespace

AesLibrary suitable_aes_library() noexcept {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("aes") != 0 && __builtin_cpu_supports("pclmul") != 0) {
        return AesLibrary::kNettle;
    }
#endif
    return AesLibrary::kLibcrypto;
}

NettleGcm::NettleGcm() : state_(sizeof(gcm_aes256_ctx)) {}

void NettleGcm::rekey(ByteView key) {
    gcm_aes256_set_key(gcm_of(state_), key.data());
    clear_traces();
}

void NettleGcm::seal_into(
    ByteView nonce, ByteView associated, ByteView plaintext, MutableByteView out
) {
    gcm_aes256_ctx* const context = gcm_of(state_);
    gcm_aes256_set_iv(context, nonce.size(), nonce.data());
    gcm_aes256_update(context, associated.size(), associated.data());
    gcm_aes256_encrypt(context, plaintext.size(), out.data(), plaintext.data());
    gcm_aes256_digest(context, kGcmTagSize, out.last(kGcmTagSize).data());
    clear_traces();
}

bool NettleGcm::open_into(
    ByteView nonce, ByteView associated, ByteView sealed, MutableByteView out
) {
    gcm_aes256_ctx* const context = gcm_of(state_);
    std::array<std::uint8_t, kGcmTagSize> tag{};
    gcm_aes256_set_iv(context, nonce.size(), nonce.data());
    gcm_aes256_update(context, associated.size(), associated.data());
    gcm_aes256_decrypt(context, out.size(), out.data(), sealed.data());
    gcm_aes256_digest(context, tag.size(), tag.data());
    clear_traces();
    const bool fits = equal_in_constant_time(tag, sealed.last(kGcmTagSize));
    OPENSSL_cleanse(tag.data(), tag.size());
    if (!fits) {
        OPENSSL_cleanse(out.data(), out.size());
    }
    return fits;
}

NettleAes256::NettleAes256(ByteView key) : state_(sizeof(aes256_ctx)) {
    aes256_set_encrypt_key(aes_of(state_), key.data());
    clear_traces();
}

void NettleAes256::encrypt_block(ByteView from, MutableByteView to) {
    aes256_encrypt(aes_of(state_), kBlock, to.data(), from.data());
    clear_traces();
}

NettleCmac::NettleCmac(ByteView key) : state_(sizeof(cmac_aes256_ctx)) {
    cmac_aes256_set_key(cmac_of(state_), key.data());
    clear_traces();
}

void NettleCmac::compute(std::initializer_list<ByteView> message, MutableByteView out) {
    cmac_aes256_ctx* const context = cmac_of(state_);
    for (const ByteView part : message) {
        if (!part.empty()) {
            cmac_aes256_update(context, part.size(), part.data());
        }
    }
    cmac_aes256_digest(context, kBlock, out.data());
    clear_traces();
}

}  // namespace pgveil::core
