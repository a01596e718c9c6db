#include "test/support/aes256.hpp"

#include "keyshare/core/invariant.hpp"

#include <algorithm>

namespace pgveil::support {
namespace {

constexpr std::size_t kWord = 4;
constexpr std::size_t kKeyWords = 8;
constexpr std::size_t kNoncePrefix = 12;

using Word = std::array<std::uint8_t, kWord>;
using Table = std::array<std::uint8_t, 256>;

constexpr std::uint8_t doubled(std::uint8_t value) {
    return static_cast<std::uint8_t>((value << 1U) ^ ((value >> 7U) * 0x1BU));
}

constexpr std::uint8_t rotated(std::uint8_t value, unsigned bits) {
    return static_cast<std::uint8_t>((value << bits) | (value >> (8 - bits)));
}

// Section 5.1.1: the inverse in GF(2^8), then the affine map. `power` walks the field by the
// generator 3, `inverse` by its inverse 0xF6.
constexpr Table make_substitution() {
    Table table{};
    table[0] = 0x63;
    std::uint8_t power = 1;
    std::uint8_t inverse = 1;
    do {
        power = static_cast<std::uint8_t>(power ^ doubled(power));
        inverse = static_cast<std::uint8_t>(inverse ^ (inverse << 1U));
        inverse = static_cast<std::uint8_t>(inverse ^ (inverse << 2U));
        inverse = static_cast<std::uint8_t>(inverse ^ (inverse << 4U));
        inverse = static_cast<std::uint8_t>(inverse ^ ((inverse >> 7U) * 0x09U));
        table[power] = static_cast<std::uint8_t>(
            inverse ^ rotated(inverse, 1) ^ rotated(inverse, 2) ^ rotated(inverse, 3) ^
            rotated(inverse, 4) ^ 0x63U
        );
    } while (power != 1);
    return table;
}

constexpr Table kSubstitution = make_substitution();

Word substituted(Word word) {
    for (std::uint8_t& byte : word) {
        byte = kSubstitution.at(byte);
    }
    return word;
}

void add(AesBlock& block, const AesBlock& key) {
    for (std::size_t at = 0; at < kAesBlockSize; ++at) {
        block.at(at) ^= key.at(at);
    }
}

AesBlock substituted_and_shifted(const AesBlock& block) {
    AesBlock out{};
    for (std::size_t at = 0; at < kAesBlockSize; ++at) {
        out.at(at) = kSubstitution.at(block.at((at + kWord * (at % kWord)) % kAesBlockSize));
    }
    return out;
}

void mix_columns(AesBlock& block) {
    for (std::size_t column = 0; column < kAesBlockSize; column += kWord) {
        Word old{};
        std::copy_n(block.begin() + static_cast<std::ptrdiff_t>(column), kWord, old.begin());
        for (std::size_t row = 0; row < kWord; ++row) {
            const std::uint8_t next = old.at((row + 1) % kWord);
            block.at(column + row) = static_cast<std::uint8_t>(
                doubled(old.at(row)) ^ doubled(next) ^ next ^ old.at((row + 2) % kWord) ^
                old.at((row + 3) % kWord)
            );
        }
    }
}

}  // namespace

RoundKeys expand_key(core::ByteView key) {
    core::invariant(key.size() == kKeyWords * kWord, "an AES-256 key has 32 bytes");
    std::array<Word, kWord*(kAes256Rounds + 1)> words{};
    std::uint8_t constant = 1;
    for (std::size_t at = 0; at < words.size(); ++at) {
        if (at < kKeyWords) {
            std::copy_n(key.subspan(at * kWord).begin(), kWord, words.at(at).begin());
            continue;
        }
        Word word = words.at(at - 1);
        if (at % kKeyWords == 0) {
            std::rotate(word.begin(), word.begin() + 1, word.end());
            word = substituted(word);
            word[0] ^= constant;
            constant = doubled(constant);
        } else if (at % kKeyWords == kWord) {
            word = substituted(word);
        }
        for (std::size_t byte = 0; byte < kWord; ++byte) {
            words.at(at).at(byte) = word.at(byte) ^ words.at(at - kKeyWords).at(byte);
        }
    }
    RoundKeys keys{};
    for (std::size_t at = 0; at < words.size(); ++at) {
        std::ranges::copy(words.at(at), keys.at(at / kWord).begin() + kWord * (at % kWord));
    }
    return keys;
}

AesBlock encrypt(const RoundKeys& keys, AesBlock block) {
    add(block, keys[0]);
    for (std::size_t round = 1; round <= kAes256Rounds; ++round) {
        block = substituted_and_shifted(block);
        if (round < kAes256Rounds) {
            mix_columns(block);
        }
        add(block, keys.at(round));
    }
    return block;
}

std::array<std::uint8_t, 32> xaes_derived_key(core::ByteView key, core::ByteView nonce) {
    core::invariant(nonce.size() >= kNoncePrefix, "the first 12 bytes of the nonce are there");
    const RoundKeys keys = expand_key(key);
    const AesBlock zero = encrypt(keys, AesBlock{});
    AesBlock subkey{};
    for (std::size_t at = 0; at < kAesBlockSize; ++at) {
        const unsigned next = at + 1 < kAesBlockSize ? zero.at(at + 1) : 0U;
        subkey.at(at) = static_cast<std::uint8_t>((zero.at(at) << 1U) | (next >> 7U));
    }
    subkey.back() ^= static_cast<std::uint8_t>((zero.front() >> 7U) * 0x87U);
    std::array<std::uint8_t, 32> derived{};
    for (std::uint8_t half = 0; half < 2; ++half) {
        AesBlock message{0, static_cast<std::uint8_t>(half + 1), 'X', 0};
        std::copy_n(nonce.begin(), kNoncePrefix, message.begin() + kWord);
        add(message, subkey);
        std::ranges::copy(encrypt(keys, message), derived.begin() + kAesBlockSize * half);
    }
    return derived;
}

}  // namespace pgveil::support
