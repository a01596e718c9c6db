#pragma once

#include "sql/types/style.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Reading single tokens of a date or timestamp into fields.
namespace pgveil::types {

/// Why a date or timestamp was not read. PostgreSQL's DTERR codes, and our own refusal.
enum class DateFault {
    kBadFormat,
    kFieldOverflow,
    kMonthDayOverflow,  // the order of day and month may be meant otherwise
    kZoneOverflow,
    kIntervalOverflow,  // years and months together
    kUnknownZone,
    kClockDependent,
    kNotRead,
    kZoneNotKnown,       // an abbreviation or zone whose meaning we cannot tell
    kSessionZoneNeeded,  // the session's TimeZone is not known
};

template <class T>
using DateResult = boost::system::result<T, DateFault>;

using FieldMask = std::uint32_t;
inline constexpr FieldMask kYearField = 1U;
inline constexpr FieldMask kMonthField = 2U;
inline constexpr FieldMask kDayField = 4U;
inline constexpr FieldMask kDateFields = kYearField | kMonthField | kDayField;
inline constexpr FieldMask kTimeField = 8U;
inline constexpr FieldMask kZoneField = 16U;
inline constexpr FieldMask kMeridiemField = 32U;
inline constexpr FieldMask kEraField = 64U;
inline constexpr FieldMask kWeekdayField = 128U;

/// Broken-down local time while it is being read; not yet validated.
struct DateTimeFields {
    std::int32_t year = 0;
    std::int32_t month = 0;
    std::int32_t day = 0;
    std::int32_t hour = 0;
    std::int32_t minute = 0;
    std::int32_t second = 0;
    std::int32_t microsecond = 0;
    bool has_two_digit_year = false;
};

/// What a number can mean depends on what came before it.
struct NumberContext {
    FieldMask seen = 0;
    bool has_text_month = false;
    DateOrder order = DateOrder::kMdy;
};

/// Each returns which fields it set.
DateResult<FieldMask> read_number(
    std::string_view text, const NumberContext& context, DateTimeFields& fields
);
/// 20011225, 040506.789, 0405
DateResult<FieldMask> read_run_together(
    std::string_view text, FieldMask seen, DateTimeFields& fields
);
/// 1999-01-08, 8-Jan-99, 1/8/1999, jan.8.1999
DateResult<FieldMask> read_date(
    std::string_view text, const NumberContext& context, DateTimeFields& fields
);
/// 04:05, 04:05:06.789, 05:06.789 (minutes and seconds)
DateResult<FieldMask> read_time(std::string_view text, DateTimeFields& fields);

/// ".789" as microseconds, rounded half to even as rint() does; nullopt if not point and digits.
std::optional<std::int32_t> read_fraction(std::string_view text);

/// +05:30, -0800, +1:30:15: seconds east of Greenwich.
DateResult<std::int32_t> read_zone_offset(std::string_view text);

}  // namespace pgveil::types
