#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgveil::types {

/// How local time differs from UTC.
struct LocalTimeType {
    std::int32_t seconds_east = 0;
    bool is_dst = false;
    std::string abbreviation;
};

/// A POSIX TZ rule with the extensions of RFC 9636 section 3.3.2: standard time, and optionally
/// daylight time with the two days of change in every year. A plain value.
class PosixRule {
public:
    /// A day of change in a year, and the local time of day of the change in seconds (which may be
    /// negative or beyond 24 hours).
    struct Change {
        enum class Form { kJulianWithoutLeapDay, kZeroBasedDay, kMonthWeekDay };
        Form form = Form::kMonthWeekDay;
        std::int32_t month = 1;
        std::int32_t week = 1;  // 5 is the last
        std::int32_t day = 0;   // of the year, or 0 (Sunday) to 6
        std::int32_t seconds = 7200;
    };

    /// One change as it happens, seconds since 1970.
    struct Instant {
        std::int64_t unix_s = 0;
        const LocalTimeType* before = nullptr;
        const LocalTimeType* after = nullptr;
    };

    /// Strict: `CET-1CEST,M3.5.0,M10.5.0/3`, `<+0530>-5:30`. Nullopt for anything else, also for
    /// daylight time without its days.
    static std::optional<PosixRule> parse(std::string_view text);

    const LocalTimeType& standard() const { return standard_; }

    const LocalTimeType& at_utc(std::int64_t unix_s) const;

    /// The first change after `unix_s`; nullopt without daylight time.
    std::optional<Instant> next_change(std::int64_t unix_s) const;

private:
    Instant change_of_year(std::int32_t year, bool to_daylight) const;
    /// The change in force at `unix_s` and the one after it.
    std::pair<Instant, Instant> changes_around(std::int64_t unix_s) const;

    LocalTimeType standard_;
    std::optional<LocalTimeType> daylight_;
    Change to_daylight_;
    Change to_standard_;
};

}  // namespace pgveil::types
