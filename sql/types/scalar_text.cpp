#include "sql/types/scalar_text.hpp"

#include "keyshare/core/invariant.hpp"
#include "sql/types/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string>

namespace pgveil::types {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::size_t kUuidSize = 16;
constexpr std::size_t kUuidTextSize = 36;

Error invalid_syntax(Kind kind, std::string_view text) {
    return invalid_value(
        "22P02",
        "invalid input syntax for type " + sql_name_of(Type{kind}) + ": \"" + std::string(text) +
            "\""
    );
}

Error integer_out_of_range(Kind kind, std::string_view text) {
    return invalid_value(
        "22003",
        "value \"" + std::string(text) + "\" is out of range for type " + sql_name_of(Type{kind})
    );
}

core::SecretBytes one_byte(std::uint8_t byte) {
    return core::SecretBytes::copy_of({&byte, 1});
}

/// True if `text` is a prefix of `word` of at least `least` letters.
bool is_abbreviation(std::string_view text, std::string_view word, std::size_t least) {
    return text.size() >= least && text.size() <= word.size() &&
           equals_ignoring_case(text, word.substr(0, text.size()));
}

bool is_true_word(std::string_view text) {
    return is_abbreviation(text, "true", 1) || is_abbreviation(text, "yes", 1) ||
           is_abbreviation(text, "on", 2) || text == "1";
}

bool is_false_word(std::string_view text) {
    return is_abbreviation(text, "false", 1) || is_abbreviation(text, "no", 1) ||
           is_abbreviation(text, "off", 2) || text == "0";
}

/// 0x1F, 0b1, 0o7 and 1_000: errors up to PostgreSQL 15, numbers from 16 on.
bool is_newer_integer_form(std::string_view digits) {
    const bool has_prefix = digits.size() > 2 && digits[0] == '0' && is_alpha(digits[1]) &&
                            std::string_view("xXbBoO").find(digits[1]) != std::string_view::npos;
    const bool has_underscore =
        digits.size() > 2 && is_digit(digits.front()) && digits.find('_') != std::string_view::npos;
    return has_prefix || has_underscore;
}

/// Takes a plus sign away, but not one that a minus follows.
std::string_view without_plus(std::string_view number) {
    const bool is_signed = number.size() > 1 && number[0] == '+' && number[1] != '-';
    return number.substr(is_signed ? 1 : 0);
}

struct Range {
    std::int64_t least;
    std::int64_t most;
    std::size_t size;
};

template <class Integer>
constexpr Range range_of_integer() {
    return {
        std::numeric_limits<Integer>::min(), std::numeric_limits<Integer>::max(), sizeof(Integer)};
}

Range range_of(Kind kind) {
    if (kind == Kind::kInt2) {
        return range_of_integer<std::int16_t>();
    }
    return kind == Kind::kInt4 ? range_of_integer<std::int32_t>()
                               : range_of_integer<std::int64_t>();
}

core::SecretBytes big_endian_tail(std::int64_t value, std::size_t size) {
    const auto bytes = core::big_endian64(static_cast<std::uint64_t>(value));
    return core::SecretBytes::copy_of(core::ByteView(bytes).last(size));
}

int hex_value(char digit) {
    const std::size_t value = kHexDigits.find(to_lower(digit));
    return value == std::string_view::npos ? -1 : static_cast<int>(value);
}

/// Reads two hex digits and the hyphen PostgreSQL allows after every second byte.
bool take_uuid_byte(std::string_view& text, std::size_t index, std::uint8_t& byte) {
    if (text.size() < 2 || hex_value(text[0]) < 0 || hex_value(text[1]) < 0) {
        return false;
    }
    byte = static_cast<std::uint8_t>(hex_value(text[0]) * 16 + hex_value(text[1]));
    text.remove_prefix(2);
    if (index % 2 == 1 && index < kUuidSize - 1 && text.starts_with('-')) {
        text.remove_prefix(1);
    }
    return true;
}

/// As PostgreSQL up to 15. `number` is trimmed and has no plus sign.
Result<core::SecretBytes> read_integer(Kind kind, std::string_view number, std::string_view text) {
    const std::string_view digits = number.substr(number.starts_with('-') ? 1 : 0);
    if (digits.empty() || !is_digit(digits.front())) {
        return invalid_syntax(kind, text);
    }
    std::uint64_t magnitude = 0;
    const char* const end = std::to_address(digits.end());
    const auto parsed = std::from_chars(std::to_address(digits.begin()), end, magnitude);
    const Range range = range_of(kind);
    const std::uint64_t magnitude_max = static_cast<std::uint64_t>(range.most) + 1;
    const bool is_whole = parsed.ptr == end;
    // PostgreSQL counts downwards: one above the most is noticed only after the whole number.
    if (parsed.ec == std::errc::result_out_of_range || magnitude > magnitude_max ||
        (is_whole && magnitude == magnitude_max && !number.starts_with('-'))) {
        return integer_out_of_range(kind, text);
    }
    if (!is_whole) {
        return invalid_syntax(kind, text);
    }
    const std::uint64_t value = number.starts_with('-') ? 0 - magnitude : magnitude;
    return big_endian_tail(static_cast<std::int64_t>(value), range.size);
}

/// Takes 0x, 0o or 0b from the front.
std::uint32_t take_base(std::string_view& digits) {
    std::uint32_t base = 10;
    if (digits.size() >= 2 && digits[0] == '0') {
        switch (to_lower(digits[1])) {
            case 'x': base = 16; break;
            case 'o': base = 8; break;
            case 'b': base = 2; break;
            default: break;
        }
    }
    digits.remove_prefix(base == 10 ? 0 : 2);
    return base;
}

/// Of `digits` at `index`; nullopt: none of this base.
std::optional<std::uint32_t> digit_at(
    std::string_view digits, std::size_t index, std::uint32_t base
) {
    const int value = index < digits.size() ? hex_value(digits[index]) : -1;
    return value >= 0 && static_cast<std::uint32_t>(value) < base
               ? std::optional(static_cast<std::uint32_t>(value))
               : std::nullopt;
}

/// As PostgreSQL from 16 on (pg_strtoint64_safe). `number` is trimmed and has no plus sign.
Result<core::SecretBytes> read_newer_integer(
    Kind kind, std::string_view number, std::string_view text
) {
    const bool is_negative = number.starts_with('-');
    std::string_view digits = number.substr(is_negative ? 1 : 0);
    const std::uint32_t base = take_base(digits);
    const Range range = range_of(kind);
    const std::uint64_t magnitude_max = static_cast<std::uint64_t>(range.most) + 1;
    std::uint64_t magnitude = 0;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const bool may_separate = i > 0 || base != 10;
        if (digits[i] == '_' && may_separate && digit_at(digits, i + 1, base)) {
            continue;
        }
        const auto digit = digit_at(digits, i, base);
        if (!digit) {
            return invalid_syntax(kind, text);
        }
        if (magnitude > magnitude_max / base) {
            return integer_out_of_range(kind, text);
        }
        magnitude = magnitude * base + *digit;
    }
    if (digits.empty()) {
        return invalid_syntax(kind, text);
    }
    if (magnitude > magnitude_max - (is_negative ? 0 : 1)) {
        return integer_out_of_range(kind, text);
    }
    const std::uint64_t value = is_negative ? 0 - magnitude : magnitude;
    return big_endian_tail(static_cast<std::int64_t>(value), range.size);
}

}  // namespace

Result<core::SecretBytes> bool_from_text(std::string_view text) {
    const std::string_view word = trim_spaces(text);
    if (is_true_word(word)) {
        return one_byte(1);
    }
    if (is_false_word(word)) {
        return one_byte(0);
    }
    return invalid_syntax(Kind::kBool, text);
}

Result<core::SecretBytes> integer_from_text(Kind kind, std::string_view text) {
    const std::string_view number = without_plus(trim_spaces(text));
    if (is_newer_integer_form(number.substr(number.starts_with('-') ? 1 : 0))) {
        return unsupported_form(
            "integers written with 0x, 0o, 0b or _ cannot be read", "Write plain decimal digits."
        );
    }
    return read_integer(kind, number, text);
}

Result<core::SecretBytes> integer_from_text_at(int server_major, Kind kind, std::string_view text) {
    constexpr int kNewerForms = 16;
    const std::string_view number = without_plus(trim_spaces(text));
    return server_major >= kNewerForms ? read_newer_integer(kind, number, text)
                                       : read_integer(kind, number, text);
}

Result<core::SecretBytes> uuid_from_text(std::string_view text) {
    std::string_view rest = text;
    const bool has_braces = rest.starts_with('{');
    if (has_braces) {
        rest.remove_prefix(1);
    }
    core::SecretBytes out(kUuidSize);
    for (std::size_t index = 0; index < kUuidSize; ++index) {
        if (!take_uuid_byte(rest, index, out.reveal_mutable()[index])) {
            return invalid_syntax(Kind::kUuid, text);
        }
    }
    if (rest != (has_braces ? "}" : "")) {
        return invalid_syntax(Kind::kUuid, text);
    }
    return out;
}

void append_bool(core::ByteView binary, TextSink& sink) {
    sink.append(binary.front() != 0 ? "t" : "f");
}

void append_integer(core::ByteView binary, TextSink& sink) {
    std::array<char, 24> digits{};
    const auto written =
        std::to_chars(digits.data(), digits.data() + digits.size(), read_integer(binary));
    sink.append({digits.data(), static_cast<std::size_t>(written.ptr - digits.data())});
}

void append_uuid(core::ByteView binary, TextSink& sink) {
    std::array<char, kUuidTextSize> text{};
    std::size_t at = 0;
    for (std::size_t index = 0; index < kUuidSize; ++index) {
        if (index == 4 || index == 6 || index == 8 || index == 10) {
            text.at(at++) = '-';
        }
        text.at(at++) = kHexDigits[binary[index] >> 4U];
        text.at(at++) = kHexDigits[binary[index] & 15U];
    }
    sink.append({text.data(), text.size()});
}

Result<core::SecretBytes> integer_send_form(Kind kind, std::int64_t value) {
    const Range range = range_of(kind);
    if (value < range.least || value > range.most) {
        return invalid_value("22003", sql_name_of(Type{kind}) + " out of range");
    }
    return big_endian_tail(value, range.size);
}

std::int64_t read_integer(core::ByteView binary) {
    if (binary.size() == sizeof(std::int16_t)) {
        return static_cast<std::int16_t>(core::read_big_endian16(binary));
    }
    if (binary.size() == sizeof(std::int32_t)) {
        return static_cast<std::int32_t>(core::read_big_endian32(binary));
    }
    core::invariant(binary.size() == sizeof(std::int64_t), "an integer has 2, 4 or 8 bytes");
    return static_cast<std::int64_t>(core::read_big_endian64(binary));
}

}  // namespace pgveil::types
