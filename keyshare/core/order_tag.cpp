#include "keyshare/core/order_tag.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/core/libcrypto.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <numeric>

namespace pgveil::core {
namespace {

constexpr std::size_t kHalfKey = kOrderTagKeySize / 2;
constexpr std::size_t kBlock = 16;
constexpr std::size_t kBitsPerByte = 8;

ByteView checked(ByteView key) {
    invariant(key.size() == kOrderTagKeySize, "a key of order tags has 64 bytes");
    return key;
}

CipherContext block_cipher(ByteView key) {
    CipherContext cipher(EVP_CIPHER_CTX_new());
    invariant(cipher != nullptr, "there is memory for an AES context");
    must(
        EVP_EncryptInit_ex2(cipher.get(), aes_256_ecb(), key.data(), nullptr, nullptr),
        "AES takes its key"
    );
    must(EVP_CIPHER_CTX_set_padding(cipher.get(), 0), "AES-ECB works without padding");
    return cipher;
}

/// Whole blocks, each for itself, in place.
void encrypt_blocks(EVP_CIPHER_CTX* cipher, MutableByteView blocks) {
    int written = 0;
    must(
        EVP_EncryptUpdate(cipher, blocks.data(), &written, blocks.data(), int_size(blocks.size())),
        "AES-ECB encrypts whole blocks"
    );
    invariant(written == int_size(blocks.size()), "AES-ECB keeps the size");
}

std::uint8_t mask_of(std::size_t bit) {
    return static_cast<std::uint8_t>(0x80U >> (bit % kBitsPerByte));
}

/// 0 or 1.
unsigned bit_of(ByteView bytes, std::size_t bit) {
    return (unsigned{bytes[bit / kBitsPerByte]} >> (kBitsPerByte - 1 - bit % kBitsPerByte)) & 1U;
}

/// The block as a big-endian number modulo 255: 256 is 1 there, so its bytes are added up.
unsigned modulo_255(ByteView block) {
    return std::accumulate(block.begin(), block.end(), 0U) % 255U;
}

}  // namespace

OrderTag::OrderTag(ByteView key)
    : chain_(block_cipher(checked(key).first(kHalfKey))),
      bits_(block_cipher(key.subspan(kHalfKey))),
      state_(kBlock),
      blocks_(kBlock * kBitsPerByte * kBlock) {}

void OrderTag::append_chunk(ByteView chunk, Bytes& tag) {
    const std::size_t bits = chunk.size() * kBitsPerByte;
    const MutableByteView blocks = blocks_.reveal_mutable().first(bits * kBlock);
    for (std::size_t bit = 0; bit < bits; ++bit) {
        const MutableByteView block = blocks.subspan(bit * kBlock, kBlock);
        copy_secret(block, state_.reveal());
        const std::size_t whole = bit / kBitsPerByte;
        for (std::size_t i = 0; i < whole; ++i) {
            block[i] ^= chunk[i];
        }
        // The bits before this one, then a 1.
        const auto before = static_cast<std::uint8_t>(0U - 2U * mask_of(bit));
        block[whole] ^= static_cast<std::uint8_t>((chunk[whole] & before) | mask_of(bit));
    }
    encrypt_blocks(bits_.get(), blocks);
    for (std::size_t bit = 0; bit < bits; ++bit) {
        const unsigned mask = modulo_255(blocks.subspan(bit * kBlock, kBlock));
        tag.push_back(static_cast<std::uint8_t>(mask + bit_of(chunk, bit)));
    }
}

void OrderTag::chain(ByteView chunk) {
    const MutableByteView state = state_.reveal_mutable();
    for (std::size_t i = 0; i < chunk.size(); ++i) {
        state[i] ^= chunk[i];
    }
    encrypt_blocks(chain_.get(), state);
}

Bytes OrderTag::tag_of(ByteView order_form) {
    Bytes tag;
    tag.reserve(order_form.size() * kOrderTagExpansion);
    std::ranges::fill(state_.reveal_mutable(), std::uint8_t{0});
    while (order_form.size() > kBlock) {
        append_chunk(order_form.first(kBlock), tag);
        chain(order_form.first(kBlock));
        order_form = order_form.subspan(kBlock);
    }
    append_chunk(order_form, tag);
    return tag;
}

}  // namespace pgveil::core
