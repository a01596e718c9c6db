#include "keyshare/core/base64url.hpp"

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

// -1 for a character outside the alphabet.
constexpr int sextet_of(int character, Alphabet alphabet) {
    const int upper = in_range(character, 'A', 'Z');
    const int lower = in_range(character, 'a', 'z');
    const int digit = in_range(character, '0', '9');
    const int is62 = in_range(character, alphabet.c62, alphabet.c62);
    const int is63 = in_range(character, alphabet.c63, alphabet.c63);
    const int known = upper | lower | digit | is62 | is63;
    return (upper & (character - 'A')) | (lower & (character - 'a' + 26)) |
           (digit & (character - '0' + 52)) | (is62 & 62) | (is63 & 63) | ~known;
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

// False when a character is foreign or an unused bit is set; `out` is then garbage.
bool decode_into(std::string_view text, Alphabet alphabet, MutableByteView out) {
    unsigned bits = 0;
    unsigned held = 0;
    int foreign = 0;
    std::size_t written = 0;
    for (const char character : text) {
        const int sextet = sextet_of(static_cast<unsigned char>(character), alphabet);
        foreign |= sextet;
        bits = ((bits << 6U) | (static_cast<unsigned>(sextet) & 0x3FU)) & 0xFFFFU;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[written++] = static_cast<std::uint8_t>(bits >> held);
        }
    }
    const unsigned unused = bits & ((1U << held) - 1);
    return foreign >= 0 && unused == 0;
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
