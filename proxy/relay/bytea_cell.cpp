#include "proxy/relay/bytea_cell.hpp"

#include <string_view>

namespace pgveil::relay {

namespace {

int hex_digit(char letter) {
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/// The bytes after "\x", as bytea_output = hex writes them; empty if they are not that.
core::Bytes from_hex_output(std::string_view digits) {
    core::Bytes bytes;
    bytes.reserve(digits.size() / 2);
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        const int high = hex_digit(digits[i]);
        const int low = hex_digit(digits[i + 1]);
        if (high < 0 || low < 0) {
            return {};
        }
        bytes.push_back(static_cast<std::uint8_t>(high * 16 + low));
    }
    return bytes;
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
