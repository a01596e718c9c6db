#include "proxy/relay/bytea_cell.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace pgveil::relay {

namespace {

constexpr std::uint8_t kNoDigit = 0xff;

/// What each byte stands for as a hexadecimal digit, as PostgreSQL writes them.
constexpr std::array<std::uint8_t, 256> kHexDigits = [] {
    std::array<std::uint8_t, 256> digits{};
    digits.fill(kNoDigit);
    for (std::uint8_t value = 0; value < 16; ++value) {
        digits.at(static_cast<std::size_t>(value < 10 ? '0' + value : 'a' + value - 10)) = value;
    }
    return digits;
}();

std::uint8_t hex_digit(char letter) {
    return kHexDigits[static_cast<unsigned char>(letter)];
}

#if defined(__SSE2__)

constexpr std::size_t kStep = 16;  // digits

/// Sixteen digits at once; false: not all of them are.
bool read_step(const char* digits, std::uint8_t* bytes) {
    const auto at_least = [](__m128i letters, char least) {
        return _mm_cmpgt_epi8(letters, _mm_set1_epi8(static_cast<char>(least - 1)));
    };
    __m128i letters;
    std::memcpy(&letters, digits, sizeof letters);
    const __m128i is_number = _mm_andnot_si128(at_least(letters, '9' + 1), at_least(letters, '0'));
    const __m128i is_letter = _mm_andnot_si128(at_least(letters, 'f' + 1), at_least(letters, 'a'));
    const __m128i base = _mm_or_si128(
        _mm_and_si128(is_number, _mm_set1_epi8('0')),
        _mm_and_si128(is_letter, _mm_set1_epi8('a' - 10))
    );
    const __m128i values = _mm_sub_epi8(letters, base);
    const __m128i high = _mm_and_si128(_mm_slli_epi16(values, 4), _mm_set1_epi16(0xf0));
    const __m128i pairs = _mm_or_si128(high, _mm_srli_epi16(values, 8));
    const __m128i packed = _mm_packus_epi16(pairs, pairs);
    std::memcpy(bytes, &packed, kStep / 2);
    return _mm_movemask_epi8(_mm_or_si128(is_number, is_letter)) == 0xffff;
}

#else

constexpr std::size_t kStep = 2;

bool read_step(const char* digits, std::uint8_t* bytes) {
    const std::uint8_t high = hex_digit(digits[0]);
    const std::uint8_t low = hex_digit(digits[1]);
    *bytes = static_cast<std::uint8_t>(high << 4U | low);
    return (high | low) < 16;
}

#endif

/// The bytes after "\x", as bytea_output = hex writes them; empty if they are not that.
void read_hex_output(std::string_view digits, core::Bytes& bytes) {
    bytes.resize(digits.size() / 2);
    std::uint8_t seen = 0;
    std::size_t i = 0;
    for (; 2 * i + kStep <= digits.size(); i += kStep / 2) {
        if (!read_step(digits.data() + 2 * i, bytes.data() + i)) {
            seen = kNoDigit;
        }
    }
    for (; i < bytes.size(); ++i) {
        const std::uint8_t high = hex_digit(digits[2 * i]);
        const std::uint8_t low = hex_digit(digits[2 * i + 1]);
        seen = static_cast<std::uint8_t>(seen | high | low);
        bytes[i] = static_cast<std::uint8_t>(high << 4U | low);
    }
    if (seen >= 16) {
        bytes.clear();
    }
}

/// The bytes of bytea_output = escape: \\ and \ooo stand for one byte each.
void read_escape_output(std::string_view text, core::Bytes& bytes) {
    bytes.clear();
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            bytes.push_back(static_cast<std::uint8_t>(text[i]));
        } else if (i + 1 < text.size() && text[i + 1] == '\\') {
            bytes.push_back('\\');
            ++i;
        } else if (i + 3 < text.size()) {
            const int value =
                (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
            bytes.push_back(static_cast<std::uint8_t>(value));
            i += 3;
        }
    }
}

}  // namespace

core::Bytes bytes_of_bytea(core::ByteView cell, wire::Format format) {
    if (format == wire::Format::kBinary) {
        return core::to_bytes(cell);
    }
    core::Bytes bytes;
    read_bytea(cell, bytes);
    return bytes;
}

void read_bytea(core::ByteView cell, core::Bytes& bytes) {
    const std::string_view text = core::as_text(cell);
    if (text.starts_with("\\x")) {
        read_hex_output(text.substr(2), bytes);
    } else {
        read_escape_output(text, bytes);
    }
}

}  // namespace pgveil::relay
