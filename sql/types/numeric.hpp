#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "sql/types/codec.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pgveil::types {

/// Precision and scale of numeric(p,s), as PostgreSQL 15 and later keep them in the typmod
/// (14 has scales 0 to p only, with the same typmods).
struct NumericShape {
    std::int32_t precision = 0;  // 1 to 1000
    std::int32_t scale = 0;      // -1000 to 1000

    std::int32_t typmod() const;
    /// Nullopt for -1, the numeric without limits.
    static std::optional<NumericShape> of_typmod(std::int32_t typmod);
};

/// So many decimal digits, with a sign, fit into kNumericOrderFormSize bytes.
inline constexpr std::int32_t kNumericOrderDigits = 38;
inline constexpr std::size_t kNumericOrderFormSize = 16;

/// A numeric of PostgreSQL: a sign, digits to the base 10000 and the number of decimals it is shown
/// with. Digits have no zeros at either end, zero is positive. Move-only; the digits are secret.
class Numeric {
public:
    /// As numeric_in without limits: 22P02, 22003. Forms that only PostgreSQL 16 reads (0x1F,
    /// 1_000), or that only 15 does (1e 5), are kUnsupportedForm.
    static Result<Numeric> from_text(std::string_view text);
    /// As numeric_recv: 08P01, 22P03. Digits that the display scale hides are cut off.
    static Result<Numeric> from_binary(core::ByteView binary);
    static Numeric of_integer(std::int64_t value);

    /// Rounds to `shape` (half away from zero), or 22003 "numeric field overflow".
    Result<void> fit(const NumericShape& shape);

    /// The same value shown with `scale` decimals, if it has no more: equal values that fit the
    /// scale get one form. Any other value keeps a form that none of them has.
    void normalise(std::int32_t scale);

    /// The send form.
    core::SecretBytes to_binary() const;
    /// As numeric_out.
    void append_text(TextSink& sink) const;

    bool is_nan() const { return sign_ == Sign::kNan; }

    bool is_infinite() const { return sign_ == Sign::kInfinity || sign_ == Sign::kMinusInfinity; }

    /// True for a finite number without a fraction, whatever its display scale.
    bool is_whole() const;
    /// Rounded half away from zero; nullopt if that does not fit, or if it is no number.
    std::optional<std::int64_t> to_integer() const;
    /// The value times 10^scale in two's complement on 16 bytes; nullopt if that is not a whole
    /// number of at most kNumericOrderDigits digits.
    std::optional<core::SecretBytes> scaled_integer(std::int32_t scale) const;

private:
    enum class Sign : std::uint16_t {
        kPositive = 0,
        kNegative = 0x4000,
        kNan = 0xC000,
        kInfinity = 0xD000,
        kMinusInfinity = 0xF000,
    };

    Numeric() = default;

    Numeric copy() const;
    static Numeric special(Sign sign);
    static std::optional<Numeric> special_from_text(std::string_view word);
    static Result<Numeric> number_from_text(std::string_view number, std::string_view text);
    static bool is_sign(std::uint16_t code);

    bool is_finite() const { return !is_nan() && !is_infinite(); }

    std::size_t count() const { return digits_.size() / 2; }

    /// The decimal that counts 10^exponent.
    std::uint8_t decimal(std::int64_t exponent) const;

    /// 0 to 9999; 0 outside of what is kept.
    std::int32_t digit(std::int64_t index) const;
    void set_digit(std::size_t index, std::int32_t value);
    /// Drops zeros at both ends.
    void strip();
    /// To `scale` decimals, half away from zero or towards zero. scale_ becomes `scale`.
    void round(std::int32_t scale);
    void truncate(std::int32_t scale);
    /// Keeps the first `decimals` decimal digits; returns the first base-10000 digit that was cut
    /// off within a digit, scaled so that 5000 is a half.
    std::int32_t cut(std::int64_t decimals);
    void carry();
    std::int64_t integer_decimals() const;
    /// 22003 if the header of a stored numeric has no room for weight and scale.
    Result<void> check_format() const;

    Sign sign_ = Sign::kPositive;
    std::int32_t weight_ = 0;   // of the first digit: digit(i) counts 10000^(weight_ - i)
    std::int32_t scale_ = 0;    // decimals shown
    core::SecretBytes digits_;  // two bytes each, big endian
};

}  // namespace pgveil::types
