#pragma once

#include <cstdint>

// The proleptic Gregorian calendar in PostgreSQL's epoch: day 0 is 2000-01-01.
namespace pgveil::types {

inline constexpr std::int64_t kMicrosPerSecond = 1000000;
inline constexpr std::int64_t kSecondsPerDay = 86400;
inline constexpr std::int64_t kMicrosPerDay = kMicrosPerSecond * kSecondsPerDay;
/// 1970-01-01, counted from 2000-01-01.
inline constexpr std::int64_t kUnixEpochDay = -10957;

/// Limits of PostgreSQL 14 to 18: date 4713-11-24 BC to 5874897-12-31, timestamp to 294276-12-31.
inline constexpr std::int64_t kFirstDate = -2451545;
inline constexpr std::int64_t kEndDate = 2145031949;
inline constexpr std::int64_t kFirstTimestamp = -211813488000000000;
inline constexpr std::int64_t kEndTimestamp = 9223371331200000000;

/// Year 0 is 1 BC, as inside PostgreSQL.
struct CivilDate {
    std::int32_t year = 2000;
    std::int32_t month = 1;
    std::int32_t day = 1;
};

bool is_leap_year(std::int32_t year);
std::int32_t days_in_month(std::int32_t year, std::int32_t month);

/// Any proleptic date; month 1 to 12.
std::int64_t day_of(CivilDate date);
CivilDate civil_date_of(std::int64_t day);

/// 0 is Sunday.
std::int32_t weekday_of(std::int64_t day);

/// PostgreSQL's IS_VALID_JULIAN: what can be counted at all, before the range of the type is asked.
bool is_countable(CivilDate date);

/// Division that rounds down, for instants before the epoch; `divisor` is positive.
std::int64_t floor_divide(std::int64_t value, std::int64_t divisor);

}  // namespace pgveil::types
