#include "proxy/relay/bytea_cell.hpp"

#include <array>
#include <cstdint>
#include <string_view>

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

/// The bytes after "\x", as bytea_output = hex writes them; empty if they are not that.
core::Bytes from_hex_output(std::string_view digits) {
    core::Bytes bytes(digits.size() / 2);
    std::uint8_t seen = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::uint8_t high = hex_digit(digits[2 * i]);
        const std::uint8_t low = hex_digit(digits[2 * i + 1]);
        seen = static_cast<std::uint8_t>(seen | high | low);
        bytes[i] = static_cast<std::uint8_t>(high << 4U | low);
    }
    return seen < 16 ? bytes : core::Bytes();
}

/// The bytes of bytea_output = escape: \\ and \ooo stand for one byte each.
core::Bytes from_escape_output(std::string_view text) {
    core::Bytes bytes;
    bytes.reserve(text.size());
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
    return bytes;
}

}  // namespace

core::Bytes bytes_of_bytea(core::ByteView cell, wire::Format format) {
    if (format == wire::Format::kBinary) {
        return core::to_bytes(cell);
    }
    const std::string_view text = core::as_text(cell);
    return text.starts_with("\\x") ? from_hex_output(text.substr(2)) : from_escape_output(text);
}

}  // namespace pgveil::relay
