#include "sql/types/numeric.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

namespace pgveil::types {

namespace {

constexpr std::int32_t kBase = 10000;
constexpr std::int32_t kDecimalsPerDigit = 4;
constexpr std::array<std::int32_t, 5> kPowersOfTen = {1, 10, 100, 1000, 10000};
constexpr std::int32_t kTypmodOffset = 4;
/// NUMERIC_DSCALE_MASK.
constexpr std::int32_t kScaleMax = 0x3FFF;

std::int64_t ceiling_of_quarter(std::int64_t value) {
    return (value + kDecimalsPerDigit - 1) / kDecimalsPerDigit;
}

Error overflow_of(const NumericShape& shape, std::string_view what) {
    Error error = invalid_value("22003", "numeric field overflow");
    error.detail = "A field with precision " + std::to_string(shape.precision) + ", scale " +
                   std::to_string(shape.scale) + " " + std::string(what);
    return error;
}

/// Decimal digits of 1 to 9999.
std::int32_t decimals_of(std::int32_t digit) {
    return digit < 10 ? 1 : digit < 100 ? 2 : digit < 1000 ? 3 : 4;
}

}  // namespace

std::int32_t NumericShape::typmod() const {
    return ((precision << 16) | (scale & 0x7FF)) + kTypmodOffset;
}

std::optional<NumericShape> NumericShape::of_typmod(std::int32_t typmod) {
    if (typmod < kTypmodOffset) {
        return std::nullopt;
    }
    const std::int32_t packed = typmod - kTypmodOffset;
    // The scale is a signed number of 11 bits.
    return NumericShape{(packed >> 16) & 0xFFFF, ((packed & 0x7FF) ^ 1024) - 1024};
}

Numeric Numeric::copy() const {
    Numeric other;
    other.sign_ = sign_;
    other.weight_ = weight_;
    other.scale_ = scale_;
    other.digits_ = core::SecretBytes::copy_of(digits_.reveal());
    return other;
}

Numeric Numeric::special(Sign sign) {
    // numeric_send() writes this scale for the infinities: it reads it from their header.
    constexpr std::int32_t kScaleOfInfinity = 0x20;
    Numeric result;
    result.sign_ = sign;
    result.scale_ = sign == Sign::kNan ? 0 : kScaleOfInfinity;
    return result;
}

bool Numeric::is_sign(std::uint16_t code) {
    constexpr std::array kSigns = {
        Sign::kPositive, Sign::kNegative, Sign::kNan, Sign::kInfinity, Sign::kMinusInfinity};
    return std::ranges::find(kSigns, static_cast<Sign>(code)) != kSigns.end();
}

std::int32_t Numeric::digit(std::int64_t index) const {
    if (index < 0 || index >= static_cast<std::int64_t>(count())) {
        return 0;
    }
    return core::read_big_endian16(digits_.reveal().subspan(static_cast<std::size_t>(index) * 2));
}

void Numeric::set_digit(std::size_t index, std::int32_t value) {
    const auto bytes = core::big_endian16(static_cast<std::uint16_t>(value));
    std::ranges::copy(bytes, digits_.reveal_mutable().subspan(index * 2).begin());
}

void Numeric::strip() {
    std::size_t end = count();
    while (end > 0 && digit(static_cast<std::int64_t>(end) - 1) == 0) {
        --end;
    }
    digits_.resize_down(end * 2);
    std::size_t first = 0;
    while (first < end && digit(static_cast<std::int64_t>(first)) == 0) {
        ++first;
    }
    if (first > 0) {
        digits_ = core::SecretBytes::copy_of(digits_.reveal().subspan(first * 2));
        weight_ -= static_cast<std::int32_t>(first);
    }
    if (digits_.empty()) {
        weight_ = 0;
        sign_ = Sign::kPositive;
    }
}

std::int64_t Numeric::integer_decimals() const {
    return (static_cast<std::int64_t>(weight_) + 1) * kDecimalsPerDigit;
}

std::int32_t Numeric::cut(std::int64_t decimals) {
    const auto kept = static_cast<std::size_t>(ceiling_of_quarter(decimals));
    const auto inside = static_cast<std::size_t>(decimals % kDecimalsPerDigit);
    std::int32_t rest = digit(static_cast<std::int64_t>(kept));
    if (kept < count()) {
        digits_.resize_down(kept * 2);
    }
    if (inside > 0) {
        const std::int32_t unit = kPowersOfTen.at(kDecimalsPerDigit - inside);
        const std::int32_t last = digit(static_cast<std::int64_t>(kept) - 1);
        rest = last % unit * (kBase / unit);
        if (kept <= count()) {
            set_digit(kept - 1, last - last % unit);
        }
    }
    return rest;
}

void Numeric::truncate(std::int32_t scale) {
    const std::int64_t decimals = integer_decimals() + scale;
    if (decimals <= 0) {
        digits_.wipe();
    } else {
        cut(decimals);
    }
    scale_ = scale;
    strip();
}

/// One more in the last kept digit's place, which is the place of the last decimal kept.
void Numeric::carry() {
    for (std::size_t index = count(); index-- > 0;) {
        const std::int32_t next = digit(static_cast<std::int64_t>(index)) + 1;
        set_digit(index, next % kBase);
        if (next < kBase) {
            return;
        }
    }
    core::SecretBytes grown(digits_.size() + 2);
    core::copy_secret(grown.reveal_mutable().subspan(2), digits_.reveal());
    digits_ = std::move(grown);
    set_digit(0, 1);
    ++weight_;
}

void Numeric::round(std::int32_t scale) {
    const std::int64_t decimals = integer_decimals() + scale;
    scale_ = scale;
    if (decimals < 0) {
        digits_.wipe();
        return strip();
    }
    if (decimals >= static_cast<std::int64_t>(count()) * kDecimalsPerDigit) {
        return;
    }
    const bool is_up = cut(decimals) >= kBase / 2;
    const auto inside = static_cast<std::size_t>(decimals % kDecimalsPerDigit);
    if (is_up && inside > 0) {
        // Up to one unit below the next digit, which carry() then completes.
        const std::int32_t unit = kPowersOfTen.at(kDecimalsPerDigit - inside);
        set_digit(count() - 1, digit(static_cast<std::int64_t>(count()) - 1) + unit - 1);
    }
    if (is_up) {
        carry();
    }
    strip();
}

Result<void> Numeric::fit(const NumericShape& shape) {
    if (is_nan()) {
        return {};
    }
    if (is_infinite()) {
        return overflow_of(shape, "cannot hold an infinite value.");
    }
    round(shape.scale);
    scale_ = std::max(scale_, 0);
    if (digits_.empty()) {
        return {};
    }
    const std::int64_t decimals = integer_decimals() - kDecimalsPerDigit + decimals_of(digit(0));
    const std::int32_t decimals_max = shape.precision - shape.scale;
    if (decimals <= decimals_max) {
        return {};
    }
    return overflow_of(
        shape,
        "must round to an absolute value less than " +
            (decimals_max == 0 ? "1" : "10^" + std::to_string(decimals_max)) + "."
    );
}

void Numeric::normalise(std::int32_t scale) {
    if (!is_finite()) {
        return;
    }
    const Numeric rounded = [&] {
        Numeric result = copy();
        result.round(scale);
        return result;
    }();
    const bool is_same = rounded.sign_ == sign_ && rounded.weight_ == weight_ &&
                         core::equal_in_constant_time(rounded.digits_.reveal(), digits_.reveal());
    const std::int64_t decimals_behind =
        static_cast<std::int64_t>(count()) * kDecimalsPerDigit - integer_decimals();
    const auto fewest = static_cast<std::int32_t>(
        std::clamp<std::int64_t>(decimals_behind, 0, std::numeric_limits<std::int32_t>::max())
    );
    scale_ = is_same ? std::max(scale, 0) : fewest;
}

Result<void> Numeric::check_format() const {
    const bool fits = weight_ >= std::numeric_limits<std::int16_t>::min() &&
                      weight_ <= std::numeric_limits<std::int16_t>::max() && scale_ <= kScaleMax;
    if (!fits) {
        return invalid_value("22003", "value overflows numeric format");
    }
    return {};
}

bool Numeric::is_whole() const {
    return is_finite() &&
           static_cast<std::int64_t>(count()) <= static_cast<std::int64_t>(weight_) + 1;
}

std::optional<std::int64_t> Numeric::to_integer() const {
    if (!is_finite()) {
        return std::nullopt;
    }
    Numeric whole = copy();
    whole.round(0);
    std::int64_t value = 0;
    for (std::int64_t index = 0; index <= whole.weight_ && !whole.digits_.empty(); ++index) {
        // Downwards, because the least number has no positive counterpart.
        if (__builtin_mul_overflow(value, std::int64_t{kBase}, &value) ||
            __builtin_sub_overflow(value, std::int64_t{whole.digit(index)}, &value)) {
            return std::nullopt;
        }
    }
    if (whole.sign_ == Sign::kNegative) {
        return value;
    }
    return value == std::numeric_limits<std::int64_t>::min() ? std::nullopt : std::optional(-value);
}

}  // namespace pgveil::types
