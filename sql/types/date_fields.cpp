#include "sql/types/date_fields.hpp"

#include "sql/types/calendar.hpp"
#include "sql/types/date_words.hpp"
#include "sql/types/text.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <memory>

namespace pgveil::types {

namespace {

constexpr std::size_t kMaxParts = 25;
constexpr std::int32_t kMaxZoneHours = 15;
constexpr std::int32_t kMinutesPerHour = 60;
constexpr std::int32_t kSecondsPerMinute = 60;
constexpr std::int32_t kSecondsPerHour = 3600;
constexpr std::int32_t kHoursPerDay = 24;

/// The parts of a date between its delimiters.
struct DateParts {
    std::array<std::string_view, kMaxParts> text;
    std::size_t count = 0;
};

template <class Condition>
std::string_view take_while(std::string_view& rest, Condition condition) {
    std::size_t size = 0;
    while (size < rest.size() && condition(rest[size])) {
        ++size;
    }
    const std::string_view taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
}

DateResult<DateParts> split_date(std::string_view rest) {
    DateParts parts;
    while (!rest.empty() && parts.count < kMaxParts) {
        take_while(rest, [](char letter) { return !is_alnum(letter); });
        if (rest.empty()) {
            return DateFault::kBadFormat;
        }
        parts.text.at(parts.count++) =
            take_while(rest, is_digit(rest.front()) ? is_digit : is_alpha);
        // PostgreSQL drops one character here, a delimiter or not: "1-jan2020" loses a digit.
        if (!rest.empty() && is_alnum(rest.front())) {
            return DateFault::kNotRead;
        }
        rest.remove_prefix(rest.empty() ? 0 : 1);
    }
    return parts;
}

/// Months in letters come first, because they decide what the numbers can be.
DateResult<FieldMask> read_text_months(
    const DateParts& parts, NumberContext& context, DateTimeFields& fields
) {
    FieldMask found = 0;
    for (std::size_t index = 0; index < parts.count; ++index) {
        if (!is_alpha(parts.text.at(index).front())) {
            continue;
        }
        const std::optional<Word> word = find_word(parts.text.at(index));
        if (!word || word->kind != WordKind::kMonth || (context.seen & kMonthField) != 0) {
            return DateFault::kBadFormat;
        }
        fields.month = word->value;
        context.has_text_month = true;
        context.seen |= kMonthField;
        found |= kMonthField;
    }
    return found;
}

/// Digits at the front, none meaning 0 as in strtol(); nullopt if above the type.
template <class Integer>
std::optional<Integer> take_number(std::string_view& rest) {
    const std::string_view digits = take_while(rest, is_digit);
    Integer value = 0;
    const auto parsed =
        std::from_chars(std::to_address(digits.begin()), std::to_address(digits.end()), value);
    if (!digits.empty() && parsed.ec != std::errc()) {
        return std::nullopt;
    }
    return value;
}

/// Hours wider than the fields, so that the overflow is seen and not wrapped.
struct TimeOfDay {
    std::int64_t hour = 0;
    std::int32_t minute = 0;
    std::int32_t second = 0;
    std::int32_t microsecond = 0;
};

std::optional<DateFault> read_fraction_of(std::string_view rest, TimeOfDay& time) {
    const std::optional<std::int32_t> fraction = read_fraction(rest);
    if (!fraction) {
        return DateFault::kBadFormat;
    }
    time.microsecond = *fraction;
    return std::nullopt;
}

/// "05:06.789" is minutes and seconds.
std::optional<DateFault> read_minutes_and_fraction(std::string_view rest, TimeOfDay& time) {
    if (const std::optional<DateFault> fault = read_fraction_of(rest, time)) {
        return fault;
    }
    if (time.hour > std::numeric_limits<std::int32_t>::max()) {
        return DateFault::kFieldOverflow;
    }
    time.second = time.minute;
    time.minute = static_cast<std::int32_t>(time.hour);
    time.hour = 0;
    return std::nullopt;
}

std::optional<DateFault> read_seconds(std::string_view rest, TimeOfDay& time) {
    rest.remove_prefix(1);
    const auto second = take_number<std::int32_t>(rest);
    if (!second) {
        return DateFault::kFieldOverflow;
    }
    time.second = *second;
    if (rest.empty()) {
        return std::nullopt;
    }
    return rest.front() == '.' ? read_fraction_of(rest, time)
                               : std::optional(DateFault::kBadFormat);
}

std::optional<DateFault> read_time_parts(std::string_view rest, TimeOfDay& time) {
    const auto hour = take_number<std::int64_t>(rest);
    if (!hour) {
        return DateFault::kFieldOverflow;
    }
    if (!rest.starts_with(':')) {
        return DateFault::kBadFormat;
    }
    rest.remove_prefix(1);
    const auto minute = take_number<std::int32_t>(rest);
    if (!minute) {
        return DateFault::kFieldOverflow;
    }
    time.hour = *hour;
    time.minute = *minute;
    if (rest.empty()) {
        return std::nullopt;
    }
    return rest.front() == '.' ? read_minutes_and_fraction(rest, time) : read_seconds(rest, time);
}

/// 24:00:00 and 23:59:60 are allowed, nothing above.
bool is_above_a_day(const TimeOfDay& time) {
    if (time.minute >= kMinutesPerHour || time.second > kSecondsPerMinute ||
        time.hour > kHoursPerDay) {
        return true;
    }
    const std::int64_t seconds =
        time.hour * kSecondsPerHour + time.minute * kSecondsPerMinute + time.second;
    return seconds * kMicrosPerSecond + time.microsecond > kMicrosPerDay;
}

struct ZoneParts {
    std::int32_t hours = 0;
    std::int32_t minutes = 0;
    std::int32_t seconds = 0;
};

/// A part of an offset may have a sign of its own, as strtol() reads it; only "-0" is in range
/// then.
std::optional<std::int32_t> take_unsigned_part(std::string_view& rest) {
    const bool is_negative = rest.size() > 1 && rest[0] == '-' && is_digit(rest[1]);
    rest.remove_prefix(is_negative ? 1 : 0);
    const auto number = take_number<std::int32_t>(rest);
    return is_negative && number != 0 ? std::nullopt : number;
}

std::optional<std::int32_t> take_zone_part(std::string_view& rest) {
    if (!rest.starts_with(':')) {
        return 0;
    }
    rest.remove_prefix(1);
    return take_unsigned_part(rest);
}

bool is_zone_in_range(const ZoneParts& zone) {
    return zone.hours <= kMaxZoneHours && zone.minutes < kMinutesPerHour &&
           zone.seconds < kSecondsPerMinute;
}

}  // namespace

DateResult<FieldMask> read_date(
    std::string_view text, const NumberContext& context, DateTimeFields& fields
) {
    const DateResult<DateParts> parts = split_date(text);
    if (!parts.has_value()) {
        return parts.error();
    }
    NumberContext inside = {context.seen, false, context.order};
    DateResult<FieldMask> found = read_text_months(*parts, inside, fields);
    if (!found.has_value()) {
        return found;
    }
    for (std::size_t index = 0; index < parts->count; ++index) {
        if (is_alpha(parts->text.at(index).front())) {
            continue;
        }
        const DateResult<FieldMask> field = read_number(parts->text.at(index), inside, fields);
        if (!field.has_value()) {
            return field;
        }
        if ((inside.seen & *field) != 0) {
            return DateFault::kBadFormat;
        }
        inside.seen |= *field;
        *found |= *field;
    }
    // Whatever came before the date but a zone makes it invalid, a weekday or time included.
    if ((inside.seen & ~kZoneField) != kDateFields) {
        return DateFault::kBadFormat;
    }
    return found;
}

DateResult<FieldMask> read_time(std::string_view text, DateTimeFields& fields) {
    TimeOfDay time;
    if (const std::optional<DateFault> fault = read_time_parts(text, time)) {
        return *fault;
    }
    if (is_above_a_day(time)) {
        return DateFault::kFieldOverflow;
    }
    fields.hour = static_cast<std::int32_t>(time.hour);
    fields.minute = time.minute;
    fields.second = time.second;
    fields.microsecond = time.microsecond;
    return kTimeField;
}

DateResult<std::int32_t> read_zone_offset(std::string_view text) {
    if (!text.starts_with('+') && !text.starts_with('-')) {
        return DateFault::kBadFormat;
    }
    std::string_view rest = text.substr(1);
    const auto hours = take_unsigned_part(rest);
    const bool is_run_together = rest.empty() && text.size() > 3;
    const auto minutes = take_zone_part(rest);
    const auto seconds = take_zone_part(rest);
    if (!hours || !minutes || !seconds) {
        return DateFault::kZoneOverflow;
    }
    ZoneParts zone = {*hours, *minutes, *seconds};
    if (is_run_together) {
        zone.minutes = zone.hours % 100;
        zone.hours /= 100;
    }
    if (!is_zone_in_range(zone)) {
        return DateFault::kZoneOverflow;
    }
    if (!rest.empty()) {
        return DateFault::kBadFormat;
    }
    const std::int32_t east =
        zone.hours * kSecondsPerHour + zone.minutes * kSecondsPerMinute + zone.seconds;
    return text.front() == '-' ? -east : east;
}

}  // namespace pgveil::types
