#include "sql/types/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>

namespace pgveil::types {

namespace {

std::uint8_t byte_at(std::string_view text, std::size_t index) {
    return static_cast<std::uint8_t>(text[index]);
}

std::size_t size_by_first_byte(std::uint8_t first) {
    if ((first & 0xE0U) == 0xC0U) {
        return 2;
    }
    if ((first & 0xF0U) == 0xE0U) {
        return 3;
    }
    return (first & 0xF8U) == 0xF0U ? 4 : 1;
}

/// The second byte closes out overlong forms, surrogates and code points above U+10FFFF.
bool is_second_byte_legal(std::uint8_t first, std::uint8_t second) {
    switch (first) {
        case 0xE0: return second >= 0xA0 && second <= 0xBF;
        case 0xED: return second >= 0x80 && second <= 0x9F;
        case 0xF0: return second >= 0x90 && second <= 0xBF;
        case 0xF4: return second >= 0x80 && second <= 0x8F;
        default: return second >= 0x80 && second <= 0xBF;
    }
}

bool is_continuation(char letter) {
    return (static_cast<std::uint8_t>(letter) & 0xC0U) == 0x80U;
}

/// The size of the legal character at the front, or 0.
std::size_t legal_character_size(std::string_view text) {
    const std::uint8_t first = byte_at(text, 0);
    if (first < 0x80) {
        return first == 0 ? 0 : 1;
    }
    const std::size_t size = size_by_first_byte(first);
    if (size == 1 || first < 0xC2 || first > 0xF4 || text.size() < size) {
        return 0;
    }
    const std::string_view rest = text.substr(1, size - 1);
    const bool legal = is_second_byte_legal(first, byte_at(text, 1)) &&
                       std::all_of(rest.begin(), rest.end(), is_continuation);
    return legal ? size : 0;
}

/// How many bytes at the front are certain to be ASCII without NUL: a multiple of 8.
std::size_t ascii_prefix(std::string_view text) {
    constexpr std::uint64_t kHighBits = 0x8080808080808080U;
    constexpr std::uint64_t kOnes = 0x0101010101010101U;
    std::size_t size = 0;
    std::uint64_t bytes = 0;
    while (text.size() - size >= sizeof(bytes)) {
        std::memcpy(&bytes, text.data() + size, sizeof(bytes));
        // The high bit of a byte is set in the difference if the byte was 0, perhaps of others,
        // too.
        if (((bytes | (bytes - kOnes)) & kHighBits) != 0) {
            break;
        }
        size += sizeof(bytes);
    }
    return size;
}

Error invalid_byte_sequence(std::string_view text) {
    constexpr std::array kHex = {
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
    std::string bytes;
    for (const char letter : text.substr(0, character_size(text))) {
        const auto byte = static_cast<std::uint8_t>(letter);
        bytes += bytes.empty() ? "0x" : " 0x";
        bytes += kHex.at(byte >> 4U);
        bytes += kHex.at(byte & 15U);
    }
    return invalid_value("22021", "invalid byte sequence for encoding \"UTF8\": " + bytes);
}

}  // namespace

bool is_space(char letter) {
    return letter == ' ' || (letter >= '\t' && letter <= '\r');
}

bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}

bool is_alpha(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}

bool is_alnum(char letter) {
    return is_alpha(letter) || is_digit(letter);
}

bool is_punctuation(char letter) {
    return letter > ' ' && letter < '\x7f' && !is_alnum(letter);
}

char to_lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool is_all_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_digit);
}

std::string_view trim_spaces(std::string_view text) {
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
    return std::equal(
        text.begin(),
        text.end(),
        lower_case.begin(),
        lower_case.end(),
        [](char left, char right) { return to_lower(left) == right; }
    );
}

std::optional<std::int32_t> parse_int32(std::string_view digits) {
    std::int32_t number = 0;
    const char* const end = std::to_address(digits.end());
    const auto parsed = std::from_chars(std::to_address(digits.begin()), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end || number < 0) {
        return std::nullopt;
    }
    return number;
}

Result<void> check_utf8(std::string_view text) {
    for (;;) {
        text.remove_prefix(ascii_prefix(text));
        if (text.empty()) {
            return {};
        }
        const std::size_t size = legal_character_size(text);
        if (size == 0) {
            return invalid_byte_sequence(text);
        }
        text.remove_prefix(size);
    }
}

std::size_t character_size(std::string_view text) {
    return std::min(text.size(), size_by_first_byte(byte_at(text, 0)));
}

std::size_t count_characters(std::string_view text) {
    const auto continuations = std::count_if(text.begin(), text.end(), is_continuation);
    return text.size() - static_cast<std::size_t>(continuations);
}

std::size_t size_of_characters(std::string_view text, std::size_t characters) {
    std::size_t size = 0;
    while (characters > 0 && size < text.size()) {
        size += character_size(text.substr(size));
        --characters;
    }
    return size;
}

}  // namespace pgveil::types
