// The text and binary forms of numeric.
#include "sql/types/numeric.hpp"
#include "sql/types/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <string>

namespace pgveil::types {

namespace {

constexpr std::int64_t kDecimalsPerDigit = 4;
constexpr std::size_t kHeaderSize = 8;
constexpr std::int32_t kBase = 10000;
constexpr std::uint16_t kScaleMask = 0x3FFF;
/// set_var_from_str() takes no exponent beyond this.
constexpr std::int64_t kExponentMax = std::numeric_limits<std::int32_t>::max() / 2;

Error invalid_syntax(std::string_view text) {
    return invalid_value(
        "22P02", "invalid input syntax for type numeric: \"" + std::string(text) + "\""
    );
}

/// Wrong in PostgreSQL 15, or in 16 only.
bool is_version_dependent(std::string_view number) {
    if (number.starts_with('+') || number.starts_with('-')) {
        number.remove_prefix(1);
    }
    if (number.size() < 2 || !(is_digit(number[0]) || is_digit(number[1]))) {
        return false;
    }
    const bool has_prefix =
        number[0] == '0' && std::string_view("xXbBoO").find(number[1]) != std::string_view::npos;
    const std::size_t exponent = number.find_first_of("eE");
    const bool has_blank = exponent != std::string_view::npos && exponent + 1 < number.size() &&
                           is_space(number[exponent + 1]);
    return has_prefix || has_blank || number.find('_') != std::string_view::npos;
}

Error wrong_syntax(std::string_view number, std::string_view text) {
    if (is_version_dependent(number)) {
        return unsupported_form(
            "numbers written with 0x, 0o, 0b, _ or a blank cannot be read",
            "Write plain decimal digits."
        );
    }
    return invalid_syntax(text);
}

std::string_view take_digits(std::string_view& rest) {
    const auto end = std::ranges::find_if_not(rest, is_digit);
    const auto size = static_cast<std::size_t>(end - rest.begin());
    const std::string_view digits = rest.substr(0, size);
    rest.remove_prefix(size);
    return digits;
}

/// Decimal digits before and behind the point, and the exponent.
struct Decimal {
    std::string_view whole;
    std::string_view fraction;
    std::int64_t exponent = 0;

    std::size_t size() const { return whole.size() + fraction.size(); }

    /// 0 outside of what is written.
    std::int32_t at(std::int64_t index) const {
        if (index < 0 || index >= static_cast<std::int64_t>(size())) {
            return 0;
        }
        const auto place = static_cast<std::size_t>(index);
        return (place < whole.size() ? whole[place] : fraction[place - whole.size()]) - '0';
    }
};

/// Digits of the exponent, capped above kExponentMax. Nullopt: not an exponent.
std::optional<std::int64_t> take_exponent(std::string_view& rest) {
    const bool is_negative = rest.starts_with('-');
    if (is_negative || rest.starts_with('+')) {
        rest.remove_prefix(1);
    }
    const std::string_view digits = take_digits(rest);
    if (digits.empty()) {
        return std::nullopt;
    }
    std::int64_t exponent = 0;
    const auto parsed =
        std::from_chars(std::to_address(digits.begin()), std::to_address(digits.end()), exponent);
    if (parsed.ec != std::errc() || exponent > kExponentMax) {
        exponent = kExponentMax;
    }
    return is_negative ? -exponent : exponent;
}

/// The unsigned number at the front of `rest`.
std::optional<Decimal> take_decimal(std::string_view& rest) {
    Decimal decimal;
    decimal.whole = take_digits(rest);
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        decimal.fraction = take_digits(rest);
    }
    if (decimal.size() == 0) {
        return std::nullopt;
    }
    if (rest.starts_with('e') || rest.starts_with('E')) {
        rest.remove_prefix(1);
        const auto exponent = take_exponent(rest);
        if (!exponent) {
            return std::nullopt;
        }
        decimal.exponent = *exponent;
    }
    return decimal;
}

/// Collects characters and hands them on in pieces; end with flush().
class TextPieces {
public:
    explicit TextPieces(TextSink& sink) : sink_(&sink) { piece_.reserve(kPieceSize); }

    void add(char letter) {
        const auto byte = static_cast<std::uint8_t>(letter);
        piece_.append({&byte, 1});
        if (piece_.size() == kPieceSize) {
            flush();
        }
    }

    void flush() {
        sink_->append(core::as_text(piece_.reveal()));
        piece_.resize_down(0);
    }

private:
    static constexpr std::size_t kPieceSize = 256;

    TextSink* sink_;
    core::SecretBytes piece_;
};

constexpr std::array<std::int32_t, 4> kPlaces = {1000, 100, 10, 1};

char decimal_of(std::int32_t digit, std::size_t place) {
    return static_cast<char>('0' + digit / kPlaces.at(place) % 10);
}

}  // namespace

std::optional<Numeric> Numeric::special_from_text(std::string_view word) {
    const bool has_sign = word.starts_with('+') || word.starts_with('-');
    const std::string_view name = word.substr(has_sign ? 1 : 0);
    if (equals_ignoring_case(word, "nan")) {
        return special(Sign::kNan);
    }
    if (equals_ignoring_case(name, "infinity") || equals_ignoring_case(name, "inf")) {
        return special(word.starts_with('-') ? Sign::kMinusInfinity : Sign::kInfinity);
    }
    return std::nullopt;
}

Result<Numeric> Numeric::from_text(std::string_view text) {
    const std::string_view word = trim_spaces(text);
    std::optional<Numeric> named = special_from_text(word);
    return named ? Result<Numeric>(std::move(*named)) : number_from_text(word, text);
}

Result<Numeric> Numeric::number_from_text(std::string_view number, std::string_view text) {
    std::string_view rest = number;
    Numeric result;
    if (rest.starts_with('+') || rest.starts_with('-')) {
        result.sign_ = rest.starts_with('-') ? Sign::kNegative : Sign::kPositive;
        rest.remove_prefix(1);
    }
    const auto decimal = take_decimal(rest);
    if (!decimal) {
        return wrong_syntax(number, text);
    }
    if (std::abs(decimal->exponent) >= kExponentMax) {
        return invalid_value("22003", "value overflows numeric format");
    }
    if (!rest.empty()) {
        return wrong_syntax(number, text);
    }
    const std::int64_t before =
        static_cast<std::int64_t>(decimal->whole.size()) + decimal->exponent;
    // Digits stand at multiples of four decimals from the point.
    const std::int64_t digits_before = before > 0
                                           ? (before + kDecimalsPerDigit - 1) / kDecimalsPerDigit
                                           : -(-before / kDecimalsPerDigit);
    const std::int64_t offset = digits_before * kDecimalsPerDigit - before;
    const std::int64_t decimals = static_cast<std::int64_t>(decimal->size()) + offset;
    const std::int64_t digits = (decimals + kDecimalsPerDigit - 1) / kDecimalsPerDigit;
    result.digits_ = core::SecretBytes(static_cast<std::size_t>(digits) * 2);
    for (std::int64_t index = 0; index < digits; ++index) {
        std::int32_t digit = 0;
        for (std::int64_t place = 0; place < kDecimalsPerDigit; ++place) {
            digit = digit * 10 + decimal->at(index * kDecimalsPerDigit + place - offset);
        }
        result.set_digit(static_cast<std::size_t>(index), digit);
    }
    result.weight_ = static_cast<std::int32_t>(digits_before - 1);
    result.scale_ = static_cast<std::int32_t>(std::max<std::int64_t>(
        static_cast<std::int64_t>(decimal->fraction.size()) - decimal->exponent, 0
    ));
    result.strip();
    const Result<void> checked = result.check_format();
    return checked.has_value() ? Result<Numeric>(std::move(result)) : checked.error();
}

Result<Numeric> Numeric::from_binary(core::ByteView binary) {
    const Error too_short = invalid_value("08P01", "insufficient data left in message");
    if (binary.size() < kHeaderSize) {
        return too_short;
    }
    const std::size_t digits = core::read_big_endian16(binary);
    const std::uint16_t sign = core::read_big_endian16(binary.subspan(4));
    const std::uint16_t scale = core::read_big_endian16(binary.subspan(6));
    if (!is_sign(sign)) {
        return invalid_value("22P03", "invalid sign in external \"numeric\" value");
    }
    if ((scale & kScaleMask) != scale) {
        return invalid_value("22P03", "invalid scale in external \"numeric\" value");
    }
    const core::ByteView body = binary.subspan(kHeaderSize);
    for (std::size_t index = 0; index < digits && index * 2 + 1 < body.size(); ++index) {
        if (core::read_big_endian16(body.subspan(index * 2)) >= kBase) {
            return invalid_value("22P03", "invalid digit in external \"numeric\" value");
        }
    }
    if (body.size() < digits * 2) {
        return too_short;
    }
    if (body.size() > digits * 2) {
        return invalid_value("22P03", "incorrect binary data format");
    }
    Numeric result;
    result.sign_ = static_cast<Sign>(sign);
    if (!result.is_finite()) {
        return special(result.sign_);
    }
    result.weight_ = static_cast<std::int16_t>(core::read_big_endian16(binary.subspan(2)));
    result.digits_ = core::SecretBytes::copy_of(body);
    result.truncate(scale);
    const Result<void> checked = result.check_format();
    return checked.has_value() ? Result<Numeric>(std::move(result)) : checked.error();
}

Numeric Numeric::of_integer(std::int64_t value) {
    constexpr std::size_t kDigits = 5;  // enough for 2^63
    Numeric result;
    result.sign_ = value < 0 ? Sign::kNegative : Sign::kPositive;
    result.weight_ = kDigits - 1;
    result.digits_ = core::SecretBytes(kDigits * 2);
    std::uint64_t magnitude =
        value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    for (std::size_t index = kDigits; index-- > 0; magnitude /= kBase) {
        result.set_digit(index, static_cast<std::int32_t>(magnitude % kBase));
    }
    result.strip();
    return result;
}

core::SecretBytes Numeric::to_binary() const {
    core::SecretBytes out;
    out.reserve(kHeaderSize + digits_.size());
    for (const std::uint16_t field :
         {static_cast<std::uint16_t>(count()),
          static_cast<std::uint16_t>(weight_),
          static_cast<std::uint16_t>(sign_),
          static_cast<std::uint16_t>(scale_)}) {
        out.append(core::big_endian16(field));
    }
    out.append(digits_.reveal());
    return out;
}

void Numeric::append_text(TextSink& sink) const {
    if (is_nan()) {
        return sink.append("NaN");
    }
    if (is_infinite()) {
        return sink.append(sign_ == Sign::kInfinity ? "Infinity" : "-Infinity");
    }
    TextPieces out(sink);
    if (sign_ == Sign::kNegative) {
        out.add('-');
    }
    bool is_leading = true;
    for (std::int64_t index = 0; index <= weight_; ++index) {
        for (std::size_t place = 0; place < kPlaces.size(); ++place) {
            const char decimal = decimal_of(digit(index), place);
            is_leading = is_leading && decimal == '0';
            if (!is_leading) {
                out.add(decimal);
            }
        }
    }
    if (is_leading) {
        out.add('0');
    }
    if (scale_ > 0) {
        out.add('.');
    }
    for (std::int64_t decimal = 0; decimal < scale_; ++decimal) {
        const std::int64_t index = weight_ + 1 + decimal / kDecimalsPerDigit;
        out.add(decimal_of(digit(index), static_cast<std::size_t>(decimal % kDecimalsPerDigit)));
    }
    out.flush();
}

}  // namespace pgveil::types
