#include "sql/types/bytea_text.hpp"

#include "sql/types/text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace pgveil::types {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::size_t kChunkSize = 256;

bool is_hex_blank(char letter) {
    return letter == ' ' || letter == '\n' || letter == '\t' || letter == '\r';
}

Result<std::uint8_t> hex_value(std::string_view text) {
    const std::size_t value = kHexDigits.find(to_lower(text.front()));
    if (value != std::string_view::npos) {
        return static_cast<std::uint8_t>(value);
    }
    const std::string_view character = text.substr(0, character_size(text));
    return invalid_value("22023", "invalid hexadecimal digit: \"" + std::string(character) + "\"");
}

Result<core::SecretBytes> from_hex_form(std::string_view digits) {
    core::SecretBytes out(digits.size() / 2);
    std::size_t size = 0;
    while (!digits.empty()) {
        if (is_hex_blank(digits.front())) {
            digits.remove_prefix(1);
            continue;
        }
        const Result<std::uint8_t> high = hex_value(digits);
        if (!high.has_value()) {
            return high.error();
        }
        digits.remove_prefix(1);
        if (digits.empty()) {
            return invalid_value("22023", "invalid hexadecimal data: odd number of digits");
        }
        const Result<std::uint8_t> low = hex_value(digits);
        if (!low.has_value()) {
            return low.error();
        }
        digits.remove_prefix(1);
        out.reveal_mutable()[size++] = static_cast<std::uint8_t>(*high * 16U + *low);
    }
    out.resize_down(size);
    return out;
}

bool is_octal(char letter) {
    return letter >= '0' && letter <= '7';
}

/// Takes one byte of the escape form from the front; nullopt if the backslash is misused.
std::optional<std::uint8_t> take_escaped_byte(std::string_view& text) {
    if (text.front() != '\\') {
        const auto byte = static_cast<std::uint8_t>(text.front());
        text.remove_prefix(1);
        return byte;
    }
    if (text.size() >= 2 && text[1] == '\\') {
        text.remove_prefix(2);
        return '\\';
    }
    const bool is_octal_form = text.size() >= 4 && text[1] >= '0' && text[1] <= '3' &&
                               is_octal(text[2]) && is_octal(text[3]);
    if (!is_octal_form) {
        return std::nullopt;
    }
    const int value = (text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0');
    text.remove_prefix(4);
    return static_cast<std::uint8_t>(value);
}

Result<core::SecretBytes> from_escape_form(std::string_view text) {
    core::SecretBytes out(text.size());
    std::size_t size = 0;
    while (!text.empty()) {
        const std::optional<std::uint8_t> byte = take_escaped_byte(text);
        if (!byte) {
            return invalid_value("22P02", "invalid input syntax for type bytea");
        }
        out.reveal_mutable()[size++] = *byte;
    }
    out.resize_down(size);
    return out;
}

/// Collects output and hands it on in pieces, so that no long text is built. Wiped at the end.
class Chunk {
public:
    explicit Chunk(TextSink& sink) : sink_(sink) {}

    Chunk(const Chunk&) = delete;
    Chunk& operator=(const Chunk&) = delete;

    ~Chunk() { flush(); }

    void add(char letter) {
        if (size_ == letters_.size()) {
            flush();
        }
        letters_.at(size_++) = letter;
    }

private:
    void flush() {
        sink_.append({letters_.data(), size_});
        size_ = 0;
        std::fill(letters_.begin(), letters_.end(), '\0');
    }

    TextSink& sink_;
    std::array<char, kChunkSize> letters_{};
    std::size_t size_ = 0;
};

void add_escaped(Chunk& chunk, std::uint8_t byte) {
    if (byte == '\\') {
        chunk.add('\\');
        chunk.add('\\');
    } else if (byte < 0x20 || byte > 0x7e) {
        chunk.add('\\');
        chunk.add(static_cast<char>('0' + (byte >> 6U)));
        chunk.add(static_cast<char>('0' + ((byte >> 3U) & 7U)));
        chunk.add(static_cast<char>('0' + (byte & 7U)));
    } else {
        chunk.add(static_cast<char>(byte));
    }
}

}  // namespace

Result<core::SecretBytes> bytea_from_text(std::string_view text) {
    return text.starts_with("\\x") ? from_hex_form(text.substr(2)) : from_escape_form(text);
}

void append_bytea(core::ByteView binary, ByteaOutput output, TextSink& sink) {
    Chunk chunk(sink);
    if (output == ByteaOutput::kEscape) {
        for (const std::uint8_t byte : binary) {
            add_escaped(chunk, byte);
        }
        return;
    }
    chunk.add('\\');
    chunk.add('x');
    for (const std::uint8_t byte : binary) {
        chunk.add(kHexDigits[byte >> 4U]);
        chunk.add(kHexDigits[byte & 15U]);
    }
}

}  // namespace pgveil::types
