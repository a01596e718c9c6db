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

/// Whole blocks, each for itself, in place.
void encrypt_blocks(EVP_CIPHER_CTX* cipher, MutableByteView blocks) {
    int written = 0;
    must(
        EVP_EncryptUpdate(cipher, blocks.data(), &written, blocks.data(), int_size(blocks.size())),
        "AES-ECB encrypts whole blocks"
    );
    invariant(written == int_size(blocks.size()), "AES-ECB keeps the size");
}

/// Sixteen bytes as two big-endian numbers.
struct Words {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
};

/// `bytes` with zeros behind them.
Words words_of(ByteView bytes) {
    Words words;
    for (std::size_t i = 0; i < kBlock; ++i) {
        std::uint64_t& word = i < kBlock / 2 ? words.high : words.low;
        word = (word << 8U) | (i < bytes.size() ? bytes[i] : 0U);
    }
    return words;
}

constexpr std::uint64_t kHighest = 1ULL << 63U;

/// The first `bits` (below 64) bits of the word, then a 1, then zeros.
std::uint64_t beginning_of(std::uint64_t word, std::size_t bits) {
    const std::uint64_t one = kHighest >> bits;
    return (word & ~(one | (one - 1))) | one;
}

/// The same of both words.
Words beginning_of(const Words& words, std::size_t bits) {
    constexpr std::size_t kHalf = 64;
    return bits < kHalf ? Words{beginning_of(words.high, bits), 0}
                        : Words{words.high, beginning_of(words.low, bits - kHalf)};
}

/// 0 or 1.
unsigned bit_of(ByteView bytes, std::size_t bit) {
    return (unsigned{bytes[bit / kBitsPerByte]} >> (kBitsPerByte - 1 - bit % kBitsPerByte)) & 1U;
}

void store(MutableByteView block, const Words& words) {
    std::ranges::copy(big_endian64(words.high), block.begin());
    std::ranges::copy(big_endian64(words.low), block.subspan(kBlock / 2).begin());
}

/// The block as a big-endian number modulo 255: 256 is 1 there, so its bytes are added up.
unsigned modulo_255(ByteView block) {
    return std::accumulate(block.begin(), block.end(), 0U) % 255U;
}

}  // namespace

OrderTag::OrderTag(ByteView key)
    : chain_(aes_256_blocks(checked(key).first(kHalfKey))),
      bits_(aes_256_blocks(key.subspan(kHalfKey))),
      state_(kBlock),
      blocks_(kBlock * kBitsPerByte * kBlock) {}

void OrderTag::append_chunk(ByteView chunk, Bytes& tag) {
    const std::size_t bits = chunk.size() * kBitsPerByte;
    const MutableByteView blocks = blocks_.reveal_mutable().first(bits * kBlock);
    const Words state = words_of(state_.reveal());
    const Words words = words_of(chunk);
    for (std::size_t bit = 0; bit < bits; ++bit) {
        const Words prefix = beginning_of(words, bit);
        store(
            blocks.subspan(bit * kBlock, kBlock), {state.high ^ prefix.high, state.low ^ prefix.low}
        );
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
