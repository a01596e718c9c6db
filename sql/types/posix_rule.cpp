#include "sql/types/posix_rule.hpp"

#include "sql/types/calendar.hpp"
#include "sql/types/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pgveil::types {

namespace {

constexpr std::int32_t kSecondsPerHour = 3600;
constexpr std::int32_t kMaxZoneHours = 24;
constexpr std::int32_t kMaxChangeHours = 167;
constexpr std::int32_t kLastWeek = 5;
constexpr std::size_t kAbbreviationMin = 3;

using Change = PosixRule::Change;

/// A cursor over the rule's text; every take_ leaves the rest behind it.
class RuleText {
public:
    explicit RuleText(std::string_view rest) : rest_(rest) {}

    bool is_empty() const { return rest_.empty(); }

    bool take(char letter) {
        if (!rest_.starts_with(letter)) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    std::optional<std::string> take_abbreviation(std::size_t letters_min) {
        const bool is_quoted = take('<');
        std::size_t size = 0;
        while (size < rest_.size() && belongs_to_abbreviation(rest_[size], is_quoted)) {
            ++size;
        }
        std::string letters(rest_.substr(0, size));
        rest_.remove_prefix(size);
        if (letters.size() < letters_min || (is_quoted && !take('>'))) {
            return std::nullopt;
        }
        return letters;
    }

    std::optional<std::int32_t> take_number(std::int32_t least, std::int32_t most) {
        std::size_t size = 0;
        while (size < rest_.size() && is_digit(rest_[size])) {
            ++size;
        }
        const std::optional<std::int32_t> number = parse_int32(rest_.substr(0, size));
        if (!number || *number < least || *number > most) {
            return std::nullopt;
        }
        rest_.remove_prefix(size);
        return number;
    }

    /// [+-]hh[:mm[:ss]]
    std::optional<std::int32_t> take_time(std::int32_t max_hours) {
        const bool is_negative = take('-');
        if (!is_negative) {
            take('+');
        }
        std::optional<std::int32_t> seconds = take_number(0, max_hours);
        if (!seconds) {
            return std::nullopt;
        }
        std::int32_t unit = kSecondsPerHour;
        std::int32_t total = *seconds * unit;
        while (unit > 1 && take(':')) {
            unit /= 60;
            seconds = take_number(0, 59);
            if (!seconds) {
                return std::nullopt;
            }
            total += *seconds * unit;
        }
        return is_negative ? -total : total;
    }

private:
    static bool belongs_to_abbreviation(char letter, bool is_quoted) {
        // PostgreSQL itself puts a colon between the brackets: <+05:30>-05:30.
        return is_alpha(letter) ||
               (is_quoted && (is_digit(letter) || letter == '+' || letter == '-' || letter == ':'));
    }

    std::string_view rest_;
};

/// M3.5.0: fifth (the last) Sunday of March.
bool take_month_week_day(RuleText& text, Change& change) {
    const auto month = text.take_number(1, 12);
    const bool has_week = month && text.take('.');
    const auto week = has_week ? text.take_number(1, kLastWeek) : std::nullopt;
    const bool has_day = week && text.take('.');
    const auto day = has_day ? text.take_number(0, 6) : std::nullopt;
    if (!day) {
        return false;
    }
    change.form = Change::Form::kMonthWeekDay;
    change.month = *month;
    change.week = *week;
    change.day = *day;
    return true;
}

bool take_day(RuleText& text, Change& change) {
    if (text.take('M')) {
        return take_month_week_day(text, change);
    }
    const bool is_julian = text.take('J');
    const auto day = is_julian ? text.take_number(1, 365) : text.take_number(0, 365);
    change.form = is_julian ? Change::Form::kJulianWithoutLeapDay : Change::Form::kZeroBasedDay;
    change.day = day.value_or(0);
    return day.has_value();
}

std::optional<Change> take_change(RuleText& text) {
    Change change;
    if (!text.take(',') || !take_day(text, change)) {
        return std::nullopt;
    }
    if (!text.take('/')) {
        return change;
    }
    const auto seconds = text.take_time(kMaxChangeHours);
    if (!seconds) {
        return std::nullopt;
    }
    change.seconds = *seconds;
    return change;
}

std::int64_t day_of_month_week_day(std::int32_t year, const Change& change) {
    const std::int64_t first = day_of({year, change.month, 1});
    const std::int32_t to_weekday = (change.day - weekday_of(first) + 7) % 7;
    std::int32_t day = to_weekday + (change.week - 1) * 7;
    while (day >= days_in_month(year, change.month)) {
        day -= 7;
    }
    return first + day;
}

/// The local midnight that the change counts from, as a day since 2000-01-01.
std::int64_t day_of_change(std::int32_t year, const Change& change) {
    const std::int64_t first = day_of({year, 1, 1});
    switch (change.form) {
        case Change::Form::kZeroBasedDay: return first + change.day;
        case Change::Form::kJulianWithoutLeapDay: {
            constexpr std::int32_t kLastOfFebruary = 59;
            const bool after_leap_day = is_leap_year(year) && change.day > kLastOfFebruary;
            return first + change.day - (after_leap_day ? 0 : 1);
        }
        case Change::Form::kMonthWeekDay: break;
    }
    return day_of_month_week_day(year, change);
}

}  // namespace

std::optional<PosixRule> PosixRule::parse(std::string_view text) {
    RuleText rest(text);
    PosixRule rule;
    auto abbreviation = rest.take_abbreviation(0);  // PostgreSQL takes "-03:30" as well
    const auto west = abbreviation ? rest.take_time(kMaxZoneHours) : std::nullopt;
    if (!west) {
        return std::nullopt;
    }
    rule.standard_ = {-*west, false, std::move(*abbreviation)};
    if (rest.is_empty()) {
        return rule;
    }
    auto daylight = rest.take_abbreviation(kAbbreviationMin);
    if (!daylight) {
        return std::nullopt;
    }
    std::optional<std::int32_t> daylight_west = *west - kSecondsPerHour;
    RuleText ahead = rest;
    if (!ahead.take(',')) {
        daylight_west = rest.take_time(kMaxZoneHours);
    }
    const auto start = daylight_west ? take_change(rest) : std::nullopt;
    const auto end = start ? take_change(rest) : std::nullopt;
    if (!end || !rest.is_empty()) {
        return std::nullopt;
    }
    rule.daylight_ = LocalTimeType{-*daylight_west, true, std::move(*daylight)};
    rule.to_daylight_ = *start;
    rule.to_standard_ = *end;
    return rule;
}

const LocalTimeType& PosixRule::at_utc(std::int64_t unix_s) const {
    return daylight_ ? *changes_around(unix_s).first.after : standard_;
}

std::optional<PosixRule::Instant> PosixRule::next_change(std::int64_t unix_s) const {
    if (!daylight_) {
        return std::nullopt;
    }
    return changes_around(unix_s).second;
}

PosixRule::Instant PosixRule::change_of_year(std::int32_t year, bool to_daylight) const {
    const Change& change = to_daylight ? to_daylight_ : to_standard_;
    const LocalTimeType& before = to_daylight ? standard_ : *daylight_;
    const LocalTimeType& after = to_daylight ? *daylight_ : standard_;
    const std::int64_t local =
        (day_of_change(year, change) - kUnixEpochDay) * kSecondsPerDay + change.seconds;
    return {local - before.seconds_east, &before, &after};
}

std::pair<PosixRule::Instant, PosixRule::Instant> PosixRule::changes_around(std::int64_t unix_s
) const {
    const std::int64_t day = floor_divide(unix_s, kSecondsPerDay) + kUnixEpochDay;
    const std::int32_t year = civil_date_of(day).year;
    std::array<Instant, 6> changes{};
    for (std::int32_t index = 0; index < 3; ++index) {
        const auto at = static_cast<std::size_t>(index) * 2;
        changes.at(at) = change_of_year(year - 1 + index, true);
        changes.at(at + 1) = change_of_year(year - 1 + index, false);
    }
    // Stable: where both changes fall on one instant (daylight time all year), the later rule wins.
    std::stable_sort(changes.begin(), changes.end(), [](const Instant& left, const Instant& right) {
        return left.unix_s < right.unix_s;
    });
    // Two changes before and two after the year are always there, so neither end is reached.
    std::size_t next = 1;
    while (next < changes.size() - 1 && changes.at(next).unix_s <= unix_s) {
        ++next;
    }
    return {changes.at(next - 1), changes.at(next)};
}

}  // namespace pgveil::types
