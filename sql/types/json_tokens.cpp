#include "sql/types/json_tokens.hpp"

#include "sql/types/text.hpp"

#include <array>
#include <charconv>

namespace pgveil::types {

namespace {

Error invalid_json(std::string detail) {
    Error error = invalid_value("22P02", "invalid input syntax for type json");
    error.detail = std::move(detail);
    return error;
}

Error low_surrogate_error() {
    return invalid_json("Unicode low surrogate must follow a high surrogate.");
}

bool is_blank(char letter) {
    return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
}

/// Letters that make a word of what was none, as in 1x.
bool is_word_letter(char letter) {
    return is_alnum(letter) || letter == '_' || static_cast<std::uint8_t>(letter) >= 0x80;
}

int hex_value(char digit) {
    if (is_digit(digit)) {
        return digit - '0';
    }
    const char lower = to_lower(digit);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<JsonToken> sign_token(char letter) {
    switch (letter) {
        case '{': return JsonToken::kObjectBegin;
        case '}': return JsonToken::kObjectEnd;
        case '[': return JsonToken::kArrayBegin;
        case ']': return JsonToken::kArrayEnd;
        case ',': return JsonToken::kComma;
        case ':': return JsonToken::kColon;
        default: return std::nullopt;
    }
}

std::optional<char> escaped_character(char letter) {
    switch (letter) {
        case '"':
        case '\\':
        case '/': return letter;
        case 'b': return '\b';
        case 'f': return '\f';
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        default: return std::nullopt;
    }
}

}  // namespace

Error JsonTokens::unexpected(const std::string& expected) const {
    return kind_ == JsonToken::kEnd
               ? invalid_json("The input string ended unexpectedly.")
               : invalid_json(
                     "Expected " + expected + ", but found \"" + std::string(written()) + "\"."
                 );
}

Error JsonTokens::invalid_token() {
    return invalid_json("Token \"" + std::string(written()) + "\" is invalid.");
}

std::optional<Error> JsonTokens::advance() {
    begin_ = end_;
    while (begin_ < text_.size() && is_blank(text_[begin_])) {
        ++begin_;
    }
    end_ = begin_;
    if (begin_ == text_.size()) {
        kind_ = JsonToken::kEnd;
        return std::nullopt;
    }
    const char first = text_[begin_];
    if (const auto sign = sign_token(first)) {
        kind_ = *sign;
        ++end_;
        return std::nullopt;
    }
    if (first == '"') {
        kind_ = JsonToken::kString;
        return take_string();
    }
    if (first == '-' || is_digit(first)) {
        kind_ = JsonToken::kNumber;
        return take_number();
    }
    return take_word();
}

std::optional<Error> JsonTokens::take_word() {
    while (end_ < text_.size() && is_word_letter(text_[end_])) {
        ++end_;
    }
    if (end_ == begin_) {
        ++end_;
        return invalid_token();
    }
    const std::string_view word = written();
    if (word != "true" && word != "false" && word != "null") {
        return invalid_token();
    }
    kind_ = word == "true"    ? JsonToken::kTrue
            : word == "false" ? JsonToken::kFalse
                              : JsonToken::kNull;
    return std::nullopt;
}

bool JsonTokens::take_digits() {
    const std::size_t begin = end_;
    while (is_digit(at(end_))) {
        ++end_;
    }
    return end_ > begin;
}

std::optional<Error> JsonTokens::take_number() {
    end_ += at(end_) == '-' ? 1U : 0U;
    bool is_right = true;
    if (at(end_) == '0') {
        ++end_;
    } else {
        is_right = take_digits();
    }
    if (at(end_) == '.') {
        ++end_;
        is_right = take_digits() && is_right;
    }
    if (at(end_) == 'e' || at(end_) == 'E') {
        ++end_;
        end_ += at(end_) == '+' || at(end_) == '-' ? 1U : 0U;
        is_right = take_digits() && is_right;
    }
    while (end_ < text_.size() && is_word_letter(text_[end_])) {
        is_right = false;
        ++end_;
    }
    return is_right ? std::nullopt : std::optional(invalid_token());
}

std::optional<Error> JsonTokens::take_string() {
    high_surrogate_ = 0;
    ++end_;
    while (at(end_) != '"' || end_ >= text_.size()) {
        if (end_ >= text_.size()) {
            return invalid_token();
        }
        const char letter = text_[end_];
        if (static_cast<std::uint8_t>(letter) < ' ') {
            std::array<char, 2> digits = {'0', '0'};
            const bool is_short = static_cast<std::uint8_t>(letter) < 16;
            std::to_chars(digits.data() + (is_short ? 1 : 0), digits.data() + 2, letter, 16);
            return invalid_json(
                "Character with value 0x" + std::string(digits.data(), 2) + " must be escaped."
            );
        }
        if (letter == '\\') {
            if (auto error = take_escape()) {
                return error;
            }
            continue;
        }
        if (auto error = end_of_pair()) {
            return error;
        }
        add(letter);
        ++end_;
    }
    ++end_;
    return end_of_pair();
}

/// A high surrogate must be followed by a low one.
std::optional<Error> JsonTokens::end_of_pair() const {
    return high_surrogate_ != 0 ? std::optional(low_surrogate_error()) : std::nullopt;
}

std::optional<Error> JsonTokens::take_escape() {
    ++end_;
    if (end_ >= text_.size()) {
        return invalid_token();
    }
    if (text_[end_] == 'u') {
        return take_unicode_escape();
    }
    if (auto error = end_of_pair()) {
        return error;
    }
    const auto character = escaped_character(text_[end_]);
    if (!character) {
        const std::string_view rest = text_.substr(end_);
        return invalid_json(
            "Escape sequence \"\\" + std::string(rest.substr(0, character_size(rest))) +
            "\" is invalid."
        );
    }
    add(*character);
    ++end_;
    return std::nullopt;
}

std::optional<Error> JsonTokens::take_unicode_escape() {
    std::uint32_t unit = 0;
    for (int digit = 0; digit < 4; ++digit) {
        ++end_;
        if (end_ >= text_.size()) {
            return invalid_token();
        }
        const int value = hex_value(text_[end_]);
        if (value < 0) {
            return invalid_json("\"\\u\" must be followed by four hexadecimal digits.");
        }
        unit = unit * 16 + static_cast<std::uint32_t>(value);
    }
    ++end_;
    return decoded_ == nullptr ? std::nullopt : take_code_unit(unit);
}

std::optional<Error> JsonTokens::take_code_unit(std::uint32_t unit) {
    const bool is_high = unit >= 0xD800 && unit <= 0xDBFF;
    const bool is_low = unit >= 0xDC00 && unit <= 0xDFFF;
    if (is_high) {
        if (high_surrogate_ != 0) {
            return invalid_json("Unicode high surrogate must not follow a high surrogate.");
        }
        high_surrogate_ = unit;
        return std::nullopt;
    }
    if (is_low != (high_surrogate_ != 0)) {
        return low_surrogate_error();
    }
    if (unit == 0) {
        Error error = invalid_value("22P05", "unsupported Unicode escape sequence");
        error.detail = "\\u0000 cannot be converted to text.";
        return error;
    }
    add_code_point(is_low ? 0x10000 + ((high_surrogate_ & 0x3FFU) << 10U) + (unit & 0x3FFU) : unit);
    high_surrogate_ = 0;
    return std::nullopt;
}

void JsonTokens::add_code_point(std::uint32_t code_point) {
    const auto tail = [code_point](std::uint32_t shift) {
        return static_cast<char>(0x80U | ((code_point >> shift) & 0x3FU));
    };
    if (code_point < 0x80) {
        add(static_cast<char>(code_point));
        return;
    }
    if (code_point < 0x800) {
        add(static_cast<char>(0xC0U | (code_point >> 6U)));
    } else if (code_point < 0x10000) {
        add(static_cast<char>(0xE0U | (code_point >> 12U)));
        add(tail(6));
    } else {
        add(static_cast<char>(0xF0U | (code_point >> 18U)));
        add(tail(12));
        add(tail(6));
    }
    add(tail(0));
}

void JsonTokens::add(char letter) {
    if (decoded_ != nullptr) {
        decoded_->append(core::as_bytes({&letter, 1}));
    }
}

}  // namespace pgveil::types
