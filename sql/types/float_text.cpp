#include "sql/types/float_text.hpp"

#include "sql/types/text.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

namespace pgveil::types {

namespace {

static_assert(std::numeric_limits<float>::is_iec559 && std::numeric_limits<double>::is_iec559);

std::string name_of_float(Kind kind) {
    return sql_name_of(Type{kind});
}

Error invalid_syntax(Kind kind, std::string_view text) {
    return invalid_value(
        "22P02",
        "invalid input syntax for type " + name_of_float(kind) + ": \"" + std::string(text) + "\""
    );
}

/// What strtod() would read at the front of a text.
struct FloatPrefix {
    std::string_view number;  // sign and digits; empty for the words
    std::size_t size = 0;     // with sign; 0: nothing
    bool is_nan = false;
    bool is_infinity = false;
};

std::size_t count_digits(std::string_view text) {
    const auto end = std::ranges::find_if_not(text, is_digit);
    return static_cast<std::size_t>(end - text.begin());
}

bool starts_with_word(std::string_view text, std::string_view lower_case) {
    return text.size() >= lower_case.size() &&
           equals_ignoring_case(text.substr(0, lower_case.size()), lower_case);
}

/// Size of an exponent at the front, 0 if there is none.
std::size_t exponent_size(std::string_view text) {
    if (!starts_with_word(text, "e")) {
        return 0;
    }
    const std::size_t sign = text.substr(1).starts_with('-') || text.substr(1).starts_with('+');
    const std::size_t digits = count_digits(text.substr(1 + sign));
    return digits == 0 ? 0 : 1 + sign + digits;
}

std::size_t number_size(std::string_view text) {
    const std::size_t whole = count_digits(text);
    const bool has_point = text.substr(whole).starts_with('.');
    const std::size_t fraction = has_point ? count_digits(text.substr(whole + 1)) : 0;
    if (whole + fraction == 0) {
        return 0;
    }
    const std::size_t mantissa = whole + (has_point ? 1 : 0) + fraction;
    return mantissa + exponent_size(text.substr(mantissa));
}

FloatPrefix take_float(std::string_view text) {
    const std::size_t sign = text.starts_with('-') || text.starts_with('+');
    const std::string_view rest = text.substr(sign);
    FloatPrefix prefix;
    prefix.is_nan = starts_with_word(rest, "nan");
    prefix.is_infinity = starts_with_word(rest, "inf");
    std::size_t size = number_size(rest);
    if (prefix.is_nan || prefix.is_infinity) {
        size = starts_with_word(rest, "infinity") ? 8 : 3;
    }
    if (size > 0) {
        prefix.size = sign + size;
        prefix.number = text.substr(0, prefix.size);
    }
    return prefix;
}

/// Hexadecimal floats, and a NaN with a payload.
bool is_unread_form(std::string_view text) {
    const std::size_t sign = text.starts_with('-') || text.starts_with('+');
    const std::string_view rest = text.substr(sign);
    return starts_with_word(rest, "0x") || starts_with_word(rest, "nan(");
}

bool has_digit_but_zero(std::string_view number) {
    const std::string_view mantissa = number.substr(0, number.find_first_of("eE"));
    return mantissa.find_first_of("123456789") != std::string_view::npos;
}

/// The nearest value; nullopt if that is an infinity, or zero for a number that is none.
template <class Float>
std::optional<Float> read_number(std::string_view number) {
    const bool has_plus = number.starts_with('+');
    const std::string_view digits = number.substr(has_plus ? 1 : 0);
    Float value = 0;
    const auto parsed =
        std::from_chars(std::to_address(digits.begin()), std::to_address(digits.end()), value);
    const bool is_out_of_range =
        parsed.ec != std::errc() || std::isinf(value) || (value == 0 && has_digit_but_zero(digits));
    return is_out_of_range ? std::nullopt : std::optional(value);
}

core::SecretBytes send_form_of(float value) {
    return core::SecretBytes::copy_of(core::big_endian32(std::bit_cast<std::uint32_t>(value)));
}

core::SecretBytes send_form_of(double value) {
    return core::SecretBytes::copy_of(core::big_endian64(std::bit_cast<std::uint64_t>(value)));
}

template <class Float>
Result<core::SecretBytes> read_float(Kind kind, std::string_view text) {
    std::string_view rest = text;
    while (!rest.empty() && is_space(rest.front())) {
        rest.remove_prefix(1);
    }
    if (is_unread_form(rest)) {
        return unsupported_form(
            "hexadecimal floating-point numbers cannot be read", "Write decimal digits."
        );
    }
    const FloatPrefix prefix = take_float(rest);
    const bool is_negative = rest.starts_with('-');
    Float value = 0;
    if (prefix.is_nan || prefix.is_infinity) {
        value = prefix.is_nan ? std::numeric_limits<Float>::quiet_NaN()
                              : std::numeric_limits<Float>::infinity();
        value = is_negative ? -value : value;
    } else if (prefix.size > 0) {
        const auto number = read_number<Float>(prefix.number);
        if (!number) {
            // float4in() quotes the whole text up to PostgreSQL 15, float8in() the number.
            const std::string_view quoted = kind == Kind::kFloat4 ? text : prefix.number;
            return invalid_value(
                "22003",
                "\"" + std::string(quoted) + "\" is out of range for type " + name_of_float(kind)
            );
        }
        value = *number;
    }
    const bool has_rest = !trim_spaces(rest.substr(prefix.size)).empty();
    return prefix.size == 0 || has_rest ? Result<core::SecretBytes>(invalid_syntax(kind, text))
                                        : send_form_of(value);
}

/// Decimal digits without point, and the power of ten of the first of them.
struct Digits {
    std::array<char, 24> text{};
    std::size_t size = 0;
    int exponent = 0;

    std::string_view view() const { return {text.data(), size}; }
};

/// Of a finite number above 0; `precision` digits, or the fewest that read back as the same if 0.
template <class Float>
Digits digits_of(Float value, int precision) {
    std::array<char, 32> written{};
    char* const end = written.data() + written.size();
    const auto done =
        precision == 0
            ? std::to_chars(written.data(), end, value, std::chars_format::scientific)
            : std::to_chars(
                  written.data(), end, value, std::chars_format::scientific, precision - 1
              );
    const std::string_view all(written.data(), static_cast<std::size_t>(done.ptr - written.data()));
    const std::size_t e = all.find('e');
    Digits digits;
    for (const char letter : all.substr(0, e)) {
        if (letter != '.') {
            digits.text.at(digits.size++) = letter;
        }
    }
    while (digits.size > 1 && digits.text.at(digits.size - 1) == '0') {
        --digits.size;
    }
    const std::string_view power = all.substr(e + (all[e + 1] == '+' ? 2 : 1));
    std::from_chars(std::to_address(power.begin()), std::to_address(power.end()), digits.exponent);
    return digits;
}

/// `digits` with `tail` behind them.
template <class Float>
Float value_near(std::string_view digits, std::string_view tail, int exponent) {
    std::array<char, 128> text{};
    std::size_t size = 0;
    const auto add = [&](std::string_view part) {
        std::ranges::copy(part, text.begin() + static_cast<std::ptrdiff_t>(size));
        size += part.size();
    };
    add(digits.substr(0, 1));
    add(".");
    add(digits.substr(1));
    add(tail);
    add("e");
    const auto done = std::to_chars(text.data() + size, text.data() + text.size(), exponent);
    Float value = 0;
    std::from_chars(text.data(), done.ptr, value);
    return value;
}

constexpr std::string_view kALittleMore = "0000000000000000000000000000000000000000000000000001";
constexpr std::string_view kAlmostOneMore = "999999999999999999999999999999999999999999999999999";

/// Halfway between two floats: reads back as `value` only because its neighbour is odd.
template <class Float>
bool is_tie(const Digits& digits, Float value) {
    Digits below = digits;
    // The last digit is not 0, so one less needs no borrow.
    --below.text.at(below.size - 1);
    return value_near<Float>(digits.view(), kALittleMore, digits.exponent) != value ||
           value_near<Float>(below.view(), kAlmostOneMore, digits.exponent) != value;
}

/// The digits that PostgreSQL writes. Unlike std::to_chars it takes no tie for an answer.
template <class Float>
Digits shortest_digits(Float value) {
    // Below, a decimal number this short cannot lie halfway between two floats.
    constexpr Float kLeastTie = 1 << 20;
    Digits digits = digits_of(value, 0);
    if (value < kLeastTie || !is_tie(digits, value)) {
        return digits;
    }
    for (int precision = static_cast<int>(digits.size) + 1;
         precision <= std::numeric_limits<Float>::max_digits10;
         ++precision) {
        digits = digits_of(value, precision);
        const bool reads_back = value_near<Float>(digits.view(), "", digits.exponent) == value;
        if (reads_back && !is_tie(digits, value)) {
            break;
        }
    }
    return digits;
}

class Characters {
public:
    void add(char letter) { text_.at(size_++) = letter; }

    void add(std::string_view letters) {
        for (const char letter : letters) {
            add(letter);
        }
    }

    std::string_view view() const { return {text_.data(), size_}; }

private:
    std::array<char, 64> text_{};
    std::size_t size_ = 0;
};

void add_scientific(const Digits& digits, Characters& out) {
    out.add(digits.view().substr(0, 1));
    if (digits.size > 1) {
        out.add('.');
        out.add(digits.view().substr(1));
    }
    out.add(digits.exponent < 0 ? "e-" : "e+");
    const int power = std::abs(digits.exponent);
    if (power < 10) {
        out.add('0');
    }
    out.add(std::to_string(power));
}

void add_plain(const Digits& digits, Characters& out) {
    if (digits.exponent < 0) {
        out.add("0.");
    }
    for (int zeros = digits.exponent + 1; zeros < 0; ++zeros) {
        out.add('0');
    }
    for (std::size_t index = 0; index < digits.size; ++index) {
        if (digits.exponent >= 0 && index == static_cast<std::size_t>(digits.exponent) + 1) {
            out.add('.');
        }
        out.add(digits.text.at(index));
    }
    for (auto written = static_cast<int>(digits.size); written <= digits.exponent; ++written) {
        out.add('0');
    }
}

template <class Float>
void write_float(Float value, int extra_float_digits, TextSink& sink) {
    constexpr int kDigits = std::numeric_limits<Float>::digits10;
    if (std::isnan(value)) {
        return sink.append("NaN");
    }
    if (std::isinf(value)) {
        return sink.append(value > 0 ? "Infinity" : "-Infinity");
    }
    Characters out;
    if (std::signbit(value)) {
        out.add('-');
    }
    const bool is_shortest = extra_float_digits > 0;
    const int precision = is_shortest ? kDigits : std::max(kDigits + extra_float_digits, 1);
    const Float magnitude = std::abs(value);
    if (magnitude == 0) {
        out.add('0');
        return sink.append(out.view());
    }
    const Digits digits =
        is_shortest ? shortest_digits(magnitude) : digits_of(magnitude, precision);
    if (digits.exponent < -4 || digits.exponent >= precision) {
        add_scientific(digits, out);
    } else {
        add_plain(digits, out);
    }
    sink.append(out.view());
}

}  // namespace

Result<core::SecretBytes> float_from_text(Kind kind, std::string_view text) {
    return kind == Kind::kFloat4 ? read_float<float>(kind, text) : read_float<double>(kind, text);
}

void append_float(Kind kind, core::ByteView binary, int extra_float_digits, TextSink& sink) {
    if (kind == Kind::kFloat4) {
        write_float(float4_value(binary), extra_float_digits, sink);
    } else {
        write_float(float8_value(binary), extra_float_digits, sink);
    }
}

core::SecretBytes send_form_of_float4(float value) {
    return send_form_of(value);
}

core::SecretBytes send_form_of_float8(double value) {
    return send_form_of(value);
}

float float4_value(core::ByteView binary) {
    return std::bit_cast<float>(core::read_big_endian32(binary));
}

double float8_value(core::ByteView binary) {
    return std::bit_cast<double>(core::read_big_endian64(binary));
}

}  // namespace pgveil::types
