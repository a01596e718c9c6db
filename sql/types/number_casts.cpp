#include "sql/types/number_casts.hpp"

#include "keyshare/core/invariant.hpp"
#include "sql/types/codec.hpp"
#include "sql/types/float_text.hpp"
#include "sql/types/numeric.hpp"
#include "sql/types/scalar_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace pgveil::types {

namespace {

/// Integers up to here are all different as doubles.
constexpr double kExactIntegers = 9007199254740992.0;

Error out_of_range(Kind kind) {
    return invalid_value("22003", sql_name_of(Type{kind}) + " out of range");
}

double double_of(Kind kind, core::ByteView binary) {
    if (kind == Kind::kFloat8) {
        return float8_value(binary);
    }
    return kind == Kind::kFloat4 ? static_cast<double>(float4_value(binary))
                                 : static_cast<double>(read_integer(binary));
}

Result<Numeric> numeric_of_text(const char* begin, const char* end) {
    // Letters of to_chars for what is no finite number: "nan", "-nan", "inf", "-inf".
    const std::string_view text(begin, static_cast<std::size_t>(end - begin));
    return Numeric::from_text(text.ends_with("nan") ? "NaN" : text);
}

/// float4_numeric, float8_numeric: through as many decimal digits as the type surely has.
Result<Numeric> numeric_of_float(Kind from, double value) {
    const int digits = from == Kind::kFloat4 ? std::numeric_limits<float>::digits10
                                             : std::numeric_limits<double>::digits10;
    std::array<char, 64> text{};
    const auto written = std::to_chars(
        text.data(), text.data() + text.size(), value, std::chars_format::general, digits
    );
    return numeric_of_text(text.data(), written.ptr);
}

Result<Numeric> numeric_of(Kind from, core::ByteView binary) {
    if (from == Kind::kNumeric) {
        return Numeric::from_binary(binary);
    }
    return is_float(from) ? numeric_of_float(from, double_of(from, binary))
                          : Numeric::of_integer(read_integer(binary));
}

Result<core::SecretBytes> integer_of_numeric(Kind to, const Numeric& value) {
    if (value.is_nan() || value.is_infinite()) {
        const std::string what = value.is_nan() ? "NaN" : "infinity";
        return invalid_value("0A000", "cannot convert " + what + " to " + sql_name_of(Type{to}));
    }
    const std::optional<std::int64_t> whole = value.to_integer();
    return whole ? integer_send_form(to, *whole) : Result<core::SecretBytes>(out_of_range(to));
}

Result<core::SecretBytes> integer_of_float(Kind to, double value) {
    const double whole = std::rint(value);
    constexpr double kEnd = 9223372036854775808.0;
    if (!(whole >= -kEnd && whole < kEnd)) {
        return out_of_range(to);
    }
    return integer_send_form(to, static_cast<std::int64_t>(whole));
}

Result<core::SecretBytes> cast_to_integer(Kind from, Kind to, core::ByteView binary) {
    if (is_integer(from)) {
        return integer_send_form(to, read_integer(binary));
    }
    if (is_float(from)) {
        return integer_of_float(to, double_of(from, binary));
    }
    const Result<Numeric> value = Numeric::from_binary(binary);
    return value.has_value() ? integer_of_numeric(to, *value) : value.error();
}

Result<core::SecretBytes> cast_to_float(Kind from, Kind to, core::ByteView binary) {
    if (from == Kind::kNumeric) {
        const Result<core::SecretBytes> text = to_text(Type{from}, binary, {});
        return text.has_value() ? float_from_text(to, core::as_text(text->reveal())) : text.error();
    }
    if (to == Kind::kFloat8) {
        return send_form_of_float8(double_of(from, binary));
    }
    if (is_integer(from)) {
        return send_form_of_float4(static_cast<float>(read_integer(binary)));
    }
    const double value = double_of(from, binary);
    const auto narrow = static_cast<float>(value);
    if (std::isinf(narrow) && !std::isinf(value)) {
        return invalid_value("22003", "value out of range: overflow");
    }
    if (narrow == 0 && value != 0) {
        return invalid_value("22003", "value out of range: underflow");
    }
    return send_form_of_float4(narrow);
}

using Equal = Result<std::optional<core::SecretBytes>>;

Equal found(Result<core::SecretBytes> value) {
    return value.has_value() ? Equal(std::optional(std::move(*value))) : Equal(std::nullopt);
}

Equal none() {
    return Equal(std::nullopt);
}

Equal equal_integer(Kind from, Kind column, core::ByteView binary) {
    if (is_float(from)) {
        const double value = double_of(from, binary);
        // int8 is compared as a double, and from here on several of them are one double.
        const bool is_exact = std::abs(value) < kExactIntegers && std::rint(value) == value;
        return is_exact ? found(integer_of_float(column, value)) : none();
    }
    if (from == Kind::kNumeric) {
        const Result<Numeric> value = Numeric::from_binary(binary);
        if (!value.has_value()) {
            return value.error();
        }
        return value->is_whole() ? found(integer_of_numeric(column, *value)) : none();
    }
    return found(integer_send_form(column, read_integer(binary)));
}

/// Every number is compared with a float in double precision.
Equal equal_float(Kind from, Kind column, core::ByteView binary) {
    const Result<core::SecretBytes> wide = cast_to_float(from, Kind::kFloat8, binary);
    if (!wide.has_value()) {
        return wide.error();
    }
    const double value = float8_value(wide->reveal());
    if (column == Kind::kFloat8) {
        return found(send_form_of_float8(value));
    }
    const auto narrow = static_cast<float>(value);
    const bool is_same = static_cast<double>(narrow) == value || std::isnan(value);
    return is_same ? found(send_form_of_float4(narrow)) : none();
}

/// A numeric column is compared with a float in double precision. Up to 15 digits different
/// numerics are different doubles, so at most one is equal.
Equal equal_numeric_of_float(Type column, double value) {
    const auto shape = NumericShape::of_typmod(column.typmod);
    const bool is_one_to_one = shape && shape->scale >= 0 && shape->scale <= shape->precision &&
                               shape->precision <= std::numeric_limits<double>::digits10;
    constexpr double kLeastWithMoreDigits = 1e15;
    if (!is_one_to_one || !(std::isnan(value) || std::abs(value) < kLeastWithMoreDigits)) {
        return none();
    }
    std::array<char, 64> text{};
    const auto written = std::to_chars(
        text.data(), text.data() + text.size(), value, std::chars_format::fixed, shape->scale
    );
    const Result<Numeric> candidate = numeric_of_text(text.data(), written.ptr);
    core::invariant(candidate.has_value(), "a finite double in plain digits is a numeric");
    core::SecretBytes form = candidate->to_binary();
    const Result<core::SecretBytes> back =
        cast_to_float(Kind::kNumeric, Kind::kFloat8, form.reveal());
    const bool is_equal =
        back.has_value() && (std::isnan(value) || float8_value(back->reveal()) == value);
    return is_equal ? found(std::move(form)) : none();
}

}  // namespace

bool is_integer(Kind kind) {
    return kind == Kind::kInt2 || kind == Kind::kInt4 || kind == Kind::kInt8;
}

bool is_float(Kind kind) {
    return kind == Kind::kFloat4 || kind == Kind::kFloat8;
}

bool is_number(Kind kind) {
    return is_integer(kind) || is_float(kind) || kind == Kind::kNumeric;
}

Result<core::SecretBytes> cast_number(Kind from, Kind to, core::ByteView binary) {
    if (is_integer(to)) {
        return cast_to_integer(from, to, binary);
    }
    if (is_float(to)) {
        return cast_to_float(from, to, binary);
    }
    const Result<Numeric> value = numeric_of(from, binary);
    return value.has_value() ? Result<core::SecretBytes>(value->to_binary()) : value.error();
}

Equal equal_number(Kind from, Type column, core::ByteView binary) {
    if (is_integer(column.kind)) {
        return equal_integer(from, column.kind, binary);
    }
    if (is_float(column.kind)) {
        return equal_float(from, column.kind, binary);
    }
    return is_float(from) ? equal_numeric_of_float(column, double_of(from, binary))
                          : found(cast_number(from, column.kind, binary));
}

}  // namespace pgveil::types
