#include "keyshare/core/nettle_aes.hpp"

#include "keyshare/core/gcm.hpp"
#include "keyshare/core/traces.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <bit>
#include <nettle/aes.h>
#include <nettle/cmac.h>
#include <nettle/gcm.h>

namespace pgveil::core {
namespace {

constexpr std::size_t kBlock = 16;

/// Associated data of columns are shorter than this.
constexpr std::size_t kKeptAssociatedMax = 256;

/// The values of a column have the same associated data, whose hash depends on the key alone: it is
/// kept until the next key. It tells the hash key, so it stands where the key does.
struct GcmState {
    gcm_aes256_ctx context;
    nettle_block16 hash_of_kept;
    std::size_t kept_size;  ///< 0: none
    std::array<std::uint8_t, kKeptAssociatedMax> kept;
};

// The arena aligns blocks to 16 bytes.
static_assert(
    alignof(GcmState) <= 16 && alignof(aes256_ctx) <= 16 && alignof(cmac_aes256_ctx) <= 16
);

GcmState* gcm_of(SecretBytes& state) {
    return std::bit_cast<GcmState*>(state.reveal_mutable().data());
}

/// What gcm_aes256_update does with all associated data of a message.
void take_associated(GcmState& state, ByteView associated) {
    if (associated.empty()) {
        return;
    }
    gcm_ctx& message = state.context.gcm;
    const ByteView kept = ByteView(state.kept).first(state.kept_size);
    if (std::equal(kept.begin(), kept.end(), associated.begin(), associated.end())) {
        message.x = state.hash_of_kept;
        message.auth_size = associated.size();
        return;
    }
    gcm_aes256_update(&state.context, associated.size(), associated.data());
    if (associated.size() <= kKeptAssociatedMax) {
        std::ranges::copy(associated, state.kept.begin());
        state.kept_size = associated.size();
        state.hash_of_kept = message.x;
    }
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

NettleGcm::NettleGcm() : state_(sizeof(GcmState)) {}

void NettleGcm::rekey(ByteView key) {
    gcm_aes256_set_key(&gcm_of(state_)->context, key.data());
    gcm_of(state_)->kept_size = 0;
    clear_traces();
}

void NettleGcm::seal_into(
    ByteView nonce, ByteView associated, ByteView plaintext, MutableByteView out
) {
    gcm_aes256_ctx* const context = &gcm_of(state_)->context;
    gcm_aes256_set_iv(context, nonce.size(), nonce.data());
    take_associated(*gcm_of(state_), associated);
    gcm_aes256_encrypt(context, plaintext.size(), out.data(), plaintext.data());
    gcm_aes256_digest(context, kGcmTagSize, out.last(kGcmTagSize).data());
    clear_traces();
}

bool NettleGcm::open_into(
    ByteView nonce, ByteView associated, ByteView sealed, MutableByteView out
) {
    gcm_aes256_ctx* const context = &gcm_of(state_)->context;
    std::array<std::uint8_t, kGcmTagSize> tag{};
    gcm_aes256_set_iv(context, nonce.size(), nonce.data());
    take_associated(*gcm_of(state_), associated);
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
