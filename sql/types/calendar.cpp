#include "sql/types/calendar.hpp"

#include <array>

namespace pgveil::types {

namespace {

constexpr std::int64_t kDaysPerEra = 146097;  // 400 years
constexpr std::int64_t kYearsPerEra = 400;
// Days from 0000-03-01, the begin of an era counted in years that start in March, to 2000-01-01.
constexpr std::int64_t kEraToEpoch = 730425;

}  // namespace

bool is_leap_year(std::int32_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

std::int32_t days_in_month(std::int32_t year, std::int32_t month) {
    constexpr std::array kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap_year(year) ? 29 : kDays.at(static_cast<std::size_t>(month - 1));
}

std::int64_t floor_divide(std::int64_t value, std::int64_t divisor) {
    const std::int64_t quotient = value / divisor;
    return value % divisor < 0 ? quotient - 1 : quotient;
}

std::int64_t day_of(CivilDate date) {
    const std::int64_t march_year = std::int64_t{date.year} - (date.month <= 2 ? 1 : 0);
    const std::int64_t era = floor_divide(march_year, kYearsPerEra);
    const std::int64_t year_of_era = march_year - era * kYearsPerEra;
    const std::int64_t march_month = (date.month + 9) % 12;
    const std::int64_t day_of_year = (153 * march_month + 2) / 5 + date.day - 1;
    const std::int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * kDaysPerEra + day_of_era - kEraToEpoch;
}

CivilDate civil_date_of(std::int64_t day) {
    const std::int64_t shifted = day + kEraToEpoch;
    const std::int64_t era = floor_divide(shifted, kDaysPerEra);
    const std::int64_t day_of_era = shifted - era * kDaysPerEra;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const std::int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t march_month = (5 * day_of_year + 2) / 153;
    const std::int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
    const std::int64_t year = era * kYearsPerEra + year_of_era + (month <= 2 ? 1 : 0);
    return {
        static_cast<std::int32_t>(year),
        static_cast<std::int32_t>(month),
        static_cast<std::int32_t>(day_of_year - (153 * march_month + 2) / 5 + 1)};
}

std::int32_t weekday_of(std::int64_t day) {
    const std::int64_t since_saturday =
        day - floor_divide(day, 7) * 7;  // 2000-01-01 was a Saturday
    return static_cast<std::int32_t>((since_saturday + 6) % 7);
}

bool is_countable(CivilDate date) {
    const bool after_begin = date.year > -4713 || (date.year == -4713 && date.month >= 11);
    const bool before_end = date.year < 5874898 || (date.year == 5874898 && date.month < 6);
    return after_begin && before_end;
}

}  // namespace pgveil::types
