// A numeric as an integer of fixed size, for its order.
#include "sql/types/numeric.hpp"

#include <array>

namespace pgveil::types {

namespace {

constexpr std::int64_t kDecimalsPerDigit = 4;
constexpr std::array<std::int32_t, kDecimalsPerDigit> kPowersOfTen = {1, 10, 100, 1000};

/// value = value * 10 + decimal, big endian.
void append_decimal(core::MutableByteView value, std::uint8_t decimal) {
    unsigned carry = decimal;
    for (std::size_t i = value.size(); i-- > 0;) {
        carry += unsigned{value[i]} * 10U;
        value[i] = static_cast<std::uint8_t>(carry);
        carry >>= 8U;
    }
}

void negate(core::MutableByteView value) {
    unsigned carry = 1;
    for (std::size_t i = value.size(); i-- > 0;) {
        carry += static_cast<std::uint8_t>(~value[i]);
        value[i] = static_cast<std::uint8_t>(carry);
        carry >>= 8U;
    }
}

std::int64_t floor_of_quarter(std::int64_t exponent) {
    return exponent >= 0 ? exponent / kDecimalsPerDigit
                         : -((kDecimalsPerDigit - 1 - exponent) / kDecimalsPerDigit);
}

}  // namespace

std::uint8_t Numeric::decimal(std::int64_t exponent) const {
    const std::int64_t group = floor_of_quarter(exponent);
    const auto place = static_cast<std::size_t>(exponent - group * kDecimalsPerDigit);
    return static_cast<std::uint8_t>(digit(weight_ - group) / kPowersOfTen.at(place) % 10);
}

std::optional<core::SecretBytes> Numeric::scaled_integer(std::int32_t scale) const {
    if (!is_finite()) {
        return std::nullopt;
    }
    const std::int64_t highest = (std::int64_t{weight_} + 1) * kDecimalsPerDigit - 1;
    const std::int64_t lowest =
        (std::int64_t{weight_} + 1 - static_cast<std::int64_t>(count())) * kDecimalsPerDigit;
    for (std::int64_t exponent = lowest; exponent < -scale; ++exponent) {
        if (decimal(exponent) != 0) {
            return std::nullopt;
        }
    }
    core::SecretBytes value(kNumericOrderFormSize);
    std::int32_t digits = 0;
    for (std::int64_t exponent = highest; exponent >= -scale; --exponent) {
        const std::uint8_t next = decimal(exponent);
        digits += digits > 0 || next > 0 ? 1 : 0;
        if (digits > kNumericOrderDigits) {
            return std::nullopt;
        }
        append_decimal(value.reveal_mutable(), next);
    }
    if (sign_ == Sign::kNegative) {
        negate(value.reveal_mutable());
    }
    return value;
}

}  // namespace pgveil::types
