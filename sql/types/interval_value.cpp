#include "sql/types/interval_value.hpp"

#include "sql/types/calendar.hpp"
#include "sql/types/interval_typmod.hpp"
#include "sql/types/timestamp_value.hpp"

#include <cmath>
#include <limits>

namespace pgveil::types {

namespace {

constexpr std::int64_t kMonthsPerYear = 12;
constexpr std::int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
constexpr std::int64_t kMicrosPerHour = 60 * kMicrosPerMinute;
constexpr double kDaysPerMonth = 30;
constexpr double kDaysPerWeek = 7;

template <class Integer>
std::optional<DateFault> add_to(Integer& sum, std::int64_t more) {
    Integer result = 0;
    if (__builtin_add_overflow(sum, more, &result)) {
        return DateFault::kFieldOverflow;
    }
    sum = result;
    return std::nullopt;
}

std::optional<std::int64_t> product(std::int64_t left, std::int64_t right) {
    std::int64_t result = 0;
    return __builtin_mul_overflow(left, right, &result) ? std::nullopt : std::optional(result);
}

std::int64_t towards_zero(std::int64_t value, std::int64_t step) {
    return value / step * step;
}

bool has_none(IntervalFields fields, IntervalFields wanted) {
    return (fields & wanted) == 0;
}

Error infinite() {
    return unsupported_form(
        "an infinite interval cannot be sealed", "PostgreSQL 17 has them, older versions do not."
    );
}

/// PostgreSQL 17 takes these for the infinities.
bool is_infinite(const IntervalValue& value) {
    const auto is_end = [&value](auto limit32, auto limit64) {
        return value.months == limit32 && value.days == limit32 && value.microseconds == limit64;
    };
    return is_end(
               std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int64_t>::max()
           ) ||
           is_end(
               std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int64_t>::min()
           );
}

}  // namespace

core::SecretBytes send_form_of_interval(const IntervalValue& value) {
    auto bytes =
        core::SecretBytes::copy_of(core::big_endian64(static_cast<std::uint64_t>(value.microseconds)
        ));
    bytes.append(core::big_endian32(static_cast<std::uint32_t>(value.days)));
    bytes.append(core::big_endian32(static_cast<std::uint32_t>(value.months)));
    return bytes;
}

IntervalValue interval_value(core::ByteView binary) {
    IntervalValue value;
    value.microseconds = static_cast<std::int64_t>(core::read_big_endian64(binary));
    value.days = static_cast<std::int32_t>(core::read_big_endian32(binary.subspan(8)));
    value.months = static_cast<std::int32_t>(core::read_big_endian32(binary.subspan(12)));
    return value;
}

IntervalValue fit_interval(const IntervalValue& value, std::int32_t typmod) {
    const IntervalLimits limits = IntervalLimits::of_typmod(typmod);
    IntervalValue fitted = value;
    const IntervalFields fields = limits.fields;
    const bool is_full = fields == kAllFields;
    if (!is_full && has_none(fields, kSecondBit)) {
        // The last field named is the finest that is kept; coarser ones stay, named or not.
        if (!has_none(fields, kMinuteBit)) {
            fitted.microseconds = towards_zero(value.microseconds, kMicrosPerMinute);
        } else if (!has_none(fields, kHourBit)) {
            fitted.microseconds = towards_zero(value.microseconds, kMicrosPerHour);
        } else {
            fitted.microseconds = 0;
        }
    }
    const bool has_months_only = has_none(fields, kDayBit | kHourBit | kMinuteBit | kSecondBit);
    if (has_months_only) {
        fitted.days = 0;
        if (has_none(fields, kMonthBit)) {
            fitted.months -= fitted.months % static_cast<std::int32_t>(kMonthsPerYear);
        }
    }
    fitted.microseconds = round_to_precision(fitted.microseconds, limits.precision);
    return fitted;
}

Result<core::SecretBytes> interval_from_binary(Type type, core::ByteView binary) {
    const IntervalValue value = interval_value(binary);
    return is_infinite(value)
               ? Result<core::SecretBytes>(infinite())
               : Result<core::SecretBytes>(send_form_of_interval(fit_interval(value, type.typmod)));
}

std::optional<DateFault> IntervalSum::add_microseconds(std::int64_t more) {
    return add_to(value_.microseconds, more);
}

std::optional<DateFault> IntervalSum::add_days(std::int64_t more) {
    return add_to(value_.days, more);
}

std::optional<DateFault> IntervalSum::add_fraction_of_months(double months) {
    const double whole = std::nearbyint(months);
    // PostgreSQL 14 cuts, 15 rounds.
    return whole == months ? add_to(value_.months, static_cast<std::int64_t>(whole))
                           : DateFault::kNotRead;
}

std::optional<DateFault> IntervalSum::add_fraction_of_days(double days) {
    const double whole = std::trunc(days);
    if (const auto fault = add_days(static_cast<std::int64_t>(whole))) {
        return fault;
    }
    return add_fraction_of_microseconds((days - whole) * static_cast<double>(kMicrosPerDay));
}

std::optional<DateFault> IntervalSum::add_fraction_of_microseconds(double microseconds) {
    const double whole = std::trunc(microseconds);
    const double rest = microseconds - whole;
    if (std::fabs(rest) == 0.5) {
        return DateFault::kNotRead;  // PostgreSQL 14 rounds to even, 15 towards zero
    }
    return add_microseconds(
        static_cast<std::int64_t>(whole) + (rest > 0.5 ? 1 : 0) - (rest < -0.5 ? 1 : 0)
    );
}

std::optional<DateFault> IntervalSum::add(Unit unit, std::int64_t whole, double fraction) {
    const auto add_time = [&](std::int64_t microseconds) -> std::optional<DateFault> {
        const auto scaled = product(whole, microseconds);
        if (!scaled) {
            return DateFault::kFieldOverflow;
        }
        const auto fault = add_microseconds(*scaled);
        return fault ? fault
                     : add_fraction_of_microseconds(fraction * static_cast<double>(microseconds));
    };
    const auto add_years = [&](std::int64_t years) -> std::optional<DateFault> {
        const auto scaled = product(whole, years);
        const auto fault = scaled ? add_to(years_, *scaled) : DateFault::kFieldOverflow;
        const double months = fraction * static_cast<double>(years * kMonthsPerYear);
        return fault ? fault : add_fraction_of_months(months);
    };
    const auto add_with_days = [&](std::optional<DateFault> fault, double days) {
        return fault ? fault : add_fraction_of_days(fraction * days);
    };
    switch (unit) {
        case Unit::kMicrosecond: return fraction != 0 ? DateFault::kNotRead : add_time(1);
        case Unit::kMillisecond: return add_time(1000);
        case Unit::kSecond: return add_time(kMicrosPerSecond);
        case Unit::kMinute: return add_time(kMicrosPerMinute);
        case Unit::kHour: return add_time(kMicrosPerHour);
        case Unit::kDay: return add_with_days(add_days(whole), 1);
        case Unit::kWeek: {
            const auto days = product(whole, static_cast<std::int64_t>(kDaysPerWeek));
            return days ? add_with_days(add_days(*days), kDaysPerWeek) : DateFault::kFieldOverflow;
        }
        case Unit::kMonth: return add_with_days(add_to(value_.months, whole), kDaysPerMonth);
        case Unit::kYear: return add_years(1);
        case Unit::kDecade: return add_years(10);
        case Unit::kCentury: return add_years(100);
        case Unit::kMillennium: break;
    }
    return add_years(1000);
}

std::optional<DateFault> IntervalSum::negate() {
    const bool is_least = value_.days == std::numeric_limits<std::int32_t>::min() ||
                          value_.months == std::numeric_limits<std::int32_t>::min() ||
                          years_ == std::numeric_limits<std::int32_t>::min() ||
                          value_.microseconds == std::numeric_limits<std::int64_t>::min();
    if (is_least) {
        return DateFault::kFieldOverflow;
    }
    value_ = {-value_.microseconds, -value_.days, -value_.months};
    years_ = -years_;
    return std::nullopt;
}

DateResult<IntervalValue> IntervalSum::total() const {
    IntervalValue total = value_;
    const std::int64_t months = years_ * kMonthsPerYear + value_.months;
    total.months = static_cast<std::int32_t>(months);
    return total.months == months ? DateResult<IntervalValue>(total) : DateFault::kIntervalOverflow;
}

}  // namespace pgveil::types
