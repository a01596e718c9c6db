// Text input of interval (PostgreSQL documentation section 8.5.4), as PostgreSQL 15 reads it: from
// the last word to the first, so that a unit is known before its number.
#include "sql/types/calendar.hpp"
#include "sql/types/date_tokens.hpp"
#include "sql/types/date_words.hpp"
#include "sql/types/interval_typmod.hpp"
#include "sql/types/interval_units.hpp"
#include "sql/types/interval_value.hpp"
#include "sql/types/text.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string>

namespace pgveil::types {

namespace {

using Unit = IntervalSum::Unit;

constexpr std::size_t kBufferSize = 256;
constexpr std::int64_t kMonthsPerYear = 12;
constexpr std::int64_t kMicrosPerHour = 3600 * kMicrosPerSecond;

/// Bits of the units seen; a clock time has seconds, minutes and hours.
std::uint32_t bit_of(Unit unit) {
    return 1U << static_cast<std::uint32_t>(unit);
}

constexpr std::uint32_t kSecondUnits = 7U;
constexpr std::uint32_t kClockUnits = 0x1FU;

bool is_negative_text(std::string_view text) {
    return text.starts_with('-');
}

/// The digits at the front, a sign included; nullopt above 64 bits.
std::optional<std::int64_t> take_integer(std::string_view& rest) {
    const bool has_plus = rest.size() > 1 && rest[0] == '+' && is_digit(rest[1]);
    rest.remove_prefix(has_plus ? 1 : 0);
    std::int64_t value = 0;
    const char* const begin = std::to_address(rest.begin());
    const auto parsed = std::from_chars(begin, begin + rest.size(), value);
    if (parsed.ec == std::errc::result_out_of_range) {
        return std::nullopt;
    }
    rest.remove_prefix(static_cast<std::size_t>(parsed.ptr - begin));
    return value;
}

/// ".5" as a double, as strtod() reads it; nullopt if something else follows the digits.
std::optional<double> read_decimal_fraction(std::string_view text) {
    if (!is_all_digits(text.substr(1))) {
        return std::nullopt;
    }
    double fraction = 0;
    if (text.size() > 1) {
        const char* const begin = std::to_address(text.begin());
        std::from_chars(begin, begin + text.size(), fraction);
    }
    return fraction;
}

/// The unit of a number that has none, by the last field of the typmod.
Unit unit_of_fields(IntervalFields fields) {
    if (fields == kAllFields || (fields & kSecondBit) != 0) {
        return Unit::kSecond;
    }
    if ((fields & kMinuteBit) != 0) {
        return Unit::kMinute;
    }
    if ((fields & kHourBit) != 0) {
        return Unit::kHour;
    }
    if ((fields & kDayBit) != 0) {
        return Unit::kDay;
    }
    return (fields & kMonthBit) != 0 ? Unit::kMonth : Unit::kYear;
}

class IntervalReading {
public:
    IntervalReading(IntervalFields fields, bool is_all_negative)
        : fields_(fields), is_all_negative_(is_all_negative) {}

    std::optional<DateFault> take(const Token& token) {
        switch (token.type) {
            case TokenType::kTime: return take_clock(token.text, false);
            case TokenType::kZoneOffset:
                return token.text.find(':') == std::string_view::npos
                           ? take_number(token.text)
                           : take_signed_clock(token.text);
            case TokenType::kNumber:
            case TokenType::kDate: return take_number(token.text);
            case TokenType::kWord:
            case TokenType::kSignedWord: break;
        }
        return take_word(token.text);
    }

    DateResult<IntervalValue> finish() {
        if (seen_ == 0) {
            return DateFault::kBadFormat;
        }
        if (awaits_number_) {
            return DateFault::kNotRead;  // "day 3": PostgreSQL 17 refuses what older ones read
        }
        if (is_ago_) {
            if (const auto fault = sum_.negate()) {
                return *fault;
            }
        }
        return sum_.total();
    }

private:
    std::optional<DateFault> mark(std::uint32_t units) {
        if ((units & seen_) != 0) {
            return DateFault::kBadFormat;
        }
        seen_ |= units;
        return std::nullopt;
    }

    /// What is no clock time must be a number then, and is none.
    std::optional<DateFault> take_signed_clock(std::string_view text) {
        const DateResult<std::int64_t> clock = read_clock(text.substr(1));
        const bool is_none = !clock.has_value() && clock.error() != DateFault::kNotRead;
        return is_none ? DateFault::kBadFormat : take_clock(text.substr(1), is_negative_text(text));
    }

    /// "4:05:06.7", "4:05", and "5:06.7" or, for MINUTE TO SECOND, "5:06".
    std::optional<DateFault> take_clock(std::string_view text, bool is_negative) {
        if (awaits_number_) {
            return DateFault::kNotRead;
        }
        const DateResult<std::int64_t> clock = read_clock(text);
        if (!clock.has_value()) {
            return clock.error();
        }
        const bool is_below = is_negative || is_all_negative_;
        if (const auto fault = sum_.add_microseconds(is_below ? -*clock : *clock)) {
            return fault;
        }
        unit_ = Unit::kDay;
        has_unit_ = true;
        return mark(kClockUnits);
    }

    DateResult<std::int64_t> read_clock(std::string_view rest) const {
        const auto first = take_integer(rest);
        if (!first) {
            return DateFault::kFieldOverflow;
        }
        if (!rest.starts_with(':')) {
            return DateFault::kBadFormat;
        }
        rest.remove_prefix(1);
        const auto second = take_integer(rest);
        if (!second || *second > INT32_MAX) {
            return DateFault::kFieldOverflow;
        }
        const bool is_minutes = fields_ == (kMinuteBit | kSecondBit);
        if (rest.empty()) {
            return is_minutes ? clock_of(0, *first, *second, "") : clock_of(*first, *second, 0, "");
        }
        if (rest.front() == '.') {
            return clock_of(0, *first, *second, rest);
        }
        if (rest.front() != ':') {
            return DateFault::kBadFormat;
        }
        rest.remove_prefix(1);
        const auto third = take_integer(rest);
        if (!third || *third > INT32_MAX) {
            return DateFault::kFieldOverflow;
        }
        if (!rest.empty() && rest.front() != '.') {
            return DateFault::kBadFormat;
        }
        return clock_of(*first, *second, *third, rest);
    }

    static DateResult<std::int64_t> clock_of(
        std::int64_t hours, std::int64_t minutes, std::int64_t seconds, std::string_view fraction
    ) {
        std::int32_t microseconds = 0;
        if (!fraction.empty()) {
            const auto read = read_fraction(fraction);
            if (!read) {
                return DateFault::kBadFormat;
            }
            microseconds = *read;
        }
        if (hours < 0 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 60) {
            return DateFault::kFieldOverflow;
        }
        const std::int64_t rest = (minutes * 60 + seconds) * kMicrosPerSecond + microseconds;
        if (hours > (INT64_MAX - rest) / kMicrosPerHour) {
            return DateFault::kFieldOverflow;
        }
        // PostgreSQL 14 counts hours in 32 bits.
        return hours > INT32_MAX ? DateResult<std::int64_t>(DateFault::kNotRead)
                                 : hours * kMicrosPerHour + rest;
    }

    std::optional<DateFault> take_number(std::string_view text) {
        std::string_view rest = text;
        const bool is_below = is_negative_text(text);
        auto whole = take_integer(rest);
        if (!whole) {
            return DateFault::kFieldOverflow;
        }
        Unit unit = has_unit_ ? unit_ : unit_of_fields(fields_);
        double fraction = 0;
        if (rest.starts_with('-') && rest.size() < text.size()) {
            const auto months = read_years_and_months(*whole, is_below, rest.substr(1));
            if (!months.has_value()) {
                return months.error();
            }
            whole = *months;
            unit = Unit::kMonth;
            unit_ = unit;
            has_unit_ = true;
        } else if (rest.starts_with('.')) {
            const auto read = read_decimal_fraction(rest);
            if (!read) {
                return DateFault::kBadFormat;
            }
            fraction = is_below ? -*read : *read;
        } else if (!rest.empty()) {
            return DateFault::kBadFormat;
        }
        if (*whole > INT32_MAX || *whole < INT32_MIN) {
            return unit < Unit::kDay ? DateFault::kNotRead : DateFault::kFieldOverflow;
        }
        if (is_all_negative_) {
            whole = *whole > 0 ? -*whole : *whole;
            fraction = fraction > 0 ? -fraction : fraction;
        }
        awaits_number_ = false;
        if (unit == Unit::kHour) {
            unit_ = Unit::kDay;  // "1 71h"
            has_unit_ = true;
        }
        if (const auto fault = sum_.add(unit, *whole, fraction)) {
            return fault;
        }
        return mark(unit == Unit::kSecond && fraction != 0 ? kSecondUnits : bit_of(unit));
    }

    /// "1-2": years and months, with one sign.
    static DateResult<std::int64_t> read_years_and_months(
        std::int64_t years, bool is_below, std::string_view rest
    ) {
        const auto months = take_integer(rest);
        if (!months || *months < 0 || *months >= kMonthsPerYear) {
            return DateFault::kFieldOverflow;
        }
        if (!rest.empty()) {
            return DateFault::kBadFormat;
        }
        std::int64_t total = 0;
        if (__builtin_mul_overflow(years, kMonthsPerYear, &total) ||
            __builtin_add_overflow(total, is_below ? -*months : *months, &total)) {
            return DateFault::kFieldOverflow;
        }
        return total;
    }

    std::optional<DateFault> take_word(std::string_view text) {
        if (text == "ago") {
            const bool is_last = !is_ago_ && seen_ == 0 && !awaits_number_;
            is_ago_ = true;
            return is_last ? std::nullopt : std::optional(DateFault::kNotRead);
        }
        if (const auto unit = find_interval_unit(text)) {
            if (awaits_number_) {
                return DateFault::kNotRead;
            }
            unit_ = *unit;
            has_unit_ = true;
            awaits_number_ = true;
            return std::nullopt;
        }
        const std::optional<Word> word = find_word(text);
        // PostgreSQL 17 knows some of these words, older ones do not.
        const bool is_special =
            word && (word->kind == WordKind::kIgnored || word->kind == WordKind::kInfinity ||
                     word->kind == WordKind::kMinusInfinity || word->kind == WordKind::kEpoch ||
                     word->kind == WordKind::kClock || word->kind == WordKind::kNotRead);
        return is_special || is_cut_interval_unit(text) ? DateFault::kNotRead
                                                        : DateFault::kBadFormat;
    }

    IntervalFields fields_;
    bool is_all_negative_;
    IntervalSum sum_;
    std::uint32_t seen_ = 0;
    Unit unit_ = Unit::kSecond;
    bool has_unit_ = false;
    bool awaits_number_ = false;
    bool is_ago_ = false;
};

/// sql_standard: the sign in front counts for everything, unless another one follows.
bool is_all_negative(std::span<const Token> tokens, IntervalStyle style) {
    if (style != IntervalStyle::kSqlStandard || tokens.empty() ||
        !is_negative_text(tokens.front().text)) {
        return false;
    }
    return std::ranges::none_of(tokens.subspan(1), [](const Token& token) {
        return token.text.starts_with('-') || token.text.starts_with('+');
    });
}

DateResult<IntervalValue> read_words(
    std::string_view text, std::int32_t typmod, IntervalStyle style
) {
    const std::optional<DateTokens> tokens = DateTokens::split(text, kBufferSize);
    if (!tokens) {
        return DateFault::kBadFormat;
    }
    IntervalReading reading(
        IntervalLimits::of_typmod(typmod).fields, is_all_negative(tokens->tokens(), style)
    );
    const auto list = tokens->tokens();
    for (std::size_t left = list.size(); left > 0; --left) {
        if (const auto fault = reading.take(list[left - 1])) {
            return *fault;
        }
    }
    return reading.finish();
}

Error error_of(DateFault fault, std::string_view text) {
    const std::string quoted = "\"" + std::string(text) + "\"";
    if (fault == DateFault::kFieldOverflow) {
        return invalid_value("22015", "interval field value out of range: " + quoted);
    }
    if (fault == DateFault::kIntervalOverflow) {
        return invalid_value("22008", "interval out of range");
    }
    if (fault == DateFault::kBadFormat) {
        return invalid_value("22007", "invalid input syntax for type interval: " + quoted);
    }
    return unsupported_form(
        "this form of an interval cannot be read",
        "Write numbers with their units, as in '1 year 2 months 3 days 04:05:06'."
    );
}

}  // namespace

Result<core::SecretBytes> interval_from_text(
    Type type, std::string_view text, const TextStyle& style
) {
    DateResult<IntervalValue> value = read_words(text, type.typmod, style.interval_style);
    if (!value.has_value() && value.error() == DateFault::kBadFormat) {
        value = read_iso8601_interval(text);
    }
    return value.has_value()
               ? Result<core::SecretBytes>(send_form_of_interval(fit_interval(*value, type.typmod)))
               : error_of(value.error(), text);
}

}  // namespace pgveil::types
