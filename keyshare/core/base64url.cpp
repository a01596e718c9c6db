#include "keyshare/core/base64url.hpp"

#include "keyshare/core/traces.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace pgveil::core {
namespace {

// The two alphabets of RFC 4648 differ in their last two characters only.
struct Alphabet {
    int c62;
    int c63;
};

constexpr Alphabet kStandard{'+', '/'};
constexpr Alphabet kUrl{'-', '_'};

// All ones when low <= value <= high, else zero; without a branch, because texts of secrets pass
// here.
constexpr int in_range(int value, int low, int high) {
    return ((low - 1 - value) & (value - high - 1)) >> 8;
}

constexpr int character_of(int sextet, Alphabet alphabet) {
    return (in_range(sextet, 0, 25) & (sextet + 'A')) |
           (in_range(sextet, 26, 51) & (sextet - 26 + 'a')) |
           (in_range(sextet, 52, 61) & (sextet - 52 + '0')) |
           (in_range(sextet, 62, 62) & alphabet.c62) | (in_range(sextet, 63, 63) & alphabet.c63);
}

constexpr std::size_t kLaneCount = 16;

/// Sixteen characters at once. What compares them gives all ones or zero, without a branch.
using Lanes [[gnu::vector_size(kLaneCount)]] = std::uint8_t;

Lanes lanes_in(Lanes characters, std::uint8_t first, std::uint8_t count) {
    return std::bit_cast<Lanes>((characters - first) < count);
}

/// Puts their sextets in place of the characters. @return zero, if all are of the alphabet.
Lanes decode_lanes(Lanes& characters, Alphabet alphabet) {
    constexpr std::uint8_t kLetters = 26;
    constexpr std::uint8_t kDigits = 10;
    const auto c62 = static_cast<std::uint8_t>(alphabet.c62);
    const auto c63 = static_cast<std::uint8_t>(alphabet.c63);
    const Lanes upper = lanes_in(characters, 'A', kLetters);
    const Lanes lower = lanes_in(characters, 'a', kLetters);
    const Lanes digit = lanes_in(characters, '0', kDigits);
    const Lanes is62 = lanes_in(characters, c62, 1);
    const Lanes is63 = lanes_in(characters, c63, 1);
    const Lanes known = upper | lower | digit | is62 | is63;
    constexpr std::uint8_t kToLower = 'a' - kLetters;
    constexpr std::uint8_t kToDigit = 2 * kLetters - '0';
    characters = (upper & (characters - std::uint8_t{'A'})) | (lower & (characters - kToLower)) |
                 (digit & (characters + kToDigit)) | (is62 & std::uint8_t{62}) |
                 (is63 & std::uint8_t{63});
    return ~known;
}

constexpr std::size_t unpadded_size(std::size_t bytes) {
    return (bytes * 8 + 5) / 6;
}

void encode_into(ByteView bytes, Alphabet alphabet, MutableByteView out) {
    unsigned bits = 0;
    unsigned held = 0;
    std::size_t written = 0;
    for (const std::uint8_t byte : bytes) {
        bits = ((bits << 8U) | byte) & 0xFFFFU;
        for (held += 8; held >= 6; held -= 6) {
            const auto sextet = static_cast<int>((bits >> (held - 6)) & 0x3FU);
            out[written++] = static_cast<std::uint8_t>(character_of(sextet, alphabet));
        }
    }
    if (held > 0) {
        const auto sextet = static_cast<int>((bits << (6 - held)) & 0x3FU);
        out[written++] = static_cast<std::uint8_t>(character_of(sextet, alphabet));
    }
}

/// The bytes that `sextets` hold. @return the bits that are left over.
unsigned pack_sextets(ByteView sextets, MutableByteView out) {
    unsigned bits = 0;
    unsigned held = 0;
    std::size_t written = 0;
    for (const std::uint8_t sextet : sextets) {
        bits = ((bits << 6U) | sextet) & 0xFFFFU;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[written++] = static_cast<std::uint8_t>(bits >> held);
        }
    }
    return bits & ((1U << held) - 1);
}

// False when a character is foreign or an unused bit is set; `out` is then garbage.
bool decode_into(std::string_view text, Alphabet alphabet, MutableByteView out) {
    constexpr std::size_t kBytesOfLanes = kLaneCount * 6 / 8;
    std::array<std::uint8_t, kLaneCount> sextets{};
    Lanes foreign{};
    unsigned unused = 0;
    while (!text.empty()) {
        const std::string_view now = text.substr(0, kLaneCount);
        text.remove_prefix(now.size());
        sextets.fill('A');
        std::copy(now.begin(), now.end(), sextets.begin());
        auto lanes = std::bit_cast<Lanes>(sextets);
        foreign |= decode_lanes(lanes, alphabet);
        sextets = std::bit_cast<std::array<std::uint8_t, kLaneCount>>(lanes);
        const std::size_t made = std::min(out.size(), kBytesOfLanes);
        unused = pack_sextets(ByteView(sextets).first(now.size()), out.first(made));
        out = out.subspan(made);
    }
    explicit_bzero(sextets.data(), sextets.size());
    clear_traces();
    const auto each = std::bit_cast<std::array<std::uint8_t, kLaneCount>>(foreign);
    return unused == 0 &&
           std::all_of(each.begin(), each.end(), [](std::uint8_t lane) { return lane == 0; });
}

Error malformed() {
    return {
        ErrorCode::kEncoding,
        "not base64 in its one canonical form: a character, padding or unused bit is wrong, or the "
        "text is cut off"};
}

template <class Buffer>
MutableByteView writable(Buffer& buffer) {
    if constexpr (std::is_same_v<Buffer, SecretBytes>) {
        return buffer.reveal_mutable();
    } else {
        return buffer;
    }
}

template <class Buffer>
Result<Buffer> decode(std::string_view text, Alphabet alphabet) {
    if (text.size() % 4 == 1) {
        return malformed();
    }
    Buffer out(text.size() * 6 / 8);
    if (!decode_into(text, alphabet, writable(out))) {
        return malformed();
    }
    return out;
}

std::string encode(ByteView bytes, Alphabet alphabet) {
    Bytes characters(unpadded_size(bytes.size()));
    encode_into(bytes, alphabet, characters);
    return std::string(as_text(characters));
}

}  // namespace

std::string base64url_encode(ByteView bytes) {
    return encode(bytes, kUrl);
}

Result<Bytes> base64url_decode(std::string_view text) {
    return decode<Bytes>(text, kUrl);
}

SecretBytes base64url_encode_secret(ByteView bytes) {
    SecretBytes out(unpadded_size(bytes.size()));
    encode_into(bytes, kUrl, out.reveal_mutable());
    return out;
}

Result<SecretBytes> base64url_decode_secret(std::string_view text) {
    return decode<SecretBytes>(text, kUrl);
}

std::string base64_encode(ByteView bytes) {
    std::string out = encode(bytes, kStandard);
    out.append((4 - out.size() % 4) % 4, '=');
    return out;
}

Result<Bytes> base64_decode(std::string_view text) {
    if (text.size() % 4 != 0) {
        return malformed();
    }
    for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) {
        text.remove_suffix(1);
    }
    return decode<Bytes>(text, kStandard);
}

}  // namespace pgveil::core
