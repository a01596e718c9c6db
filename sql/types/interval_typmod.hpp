#pragma once

#include "sql/types/error.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// The typmod of interval: which fields it keeps, and how many digits of a second (PostgreSQL
// documentation section 8.5.4; the numbers are those of pg_attribute.atttypmod).
namespace pgveil::types {

/// Sets of fields, as PostgreSQL's parser writes them behind `interval`.
using IntervalFields = std::uint32_t;
inline constexpr IntervalFields kMonthBit = 1U << 1U;
inline constexpr IntervalFields kYearBit = 1U << 2U;
inline constexpr IntervalFields kDayBit = 1U << 3U;
inline constexpr IntervalFields kHourBit = 1U << 10U;
inline constexpr IntervalFields kMinuteBit = 1U << 11U;
inline constexpr IntervalFields kSecondBit = 1U << 12U;
inline constexpr IntervalFields kAllFields = 0x7FFF;

/// What a typmod says; without one everything is kept.
struct IntervalLimits {
    IntervalFields fields = kAllFields;
    std::int32_t precision = -1;  // -1: no limit

    static IntervalLimits of_typmod(std::int32_t typmod);
    std::int32_t typmod() const;
};

/// The typmod of the modifiers in PostgreSQL's tree: {fields} or {fields, precision}; 22023.
Result<std::int32_t> interval_typmod(std::span<const std::int32_t> modifiers);

/// The fields named by words such as "day to second"; empty: all. 0 if there is no such set.
IntervalFields interval_fields_named(std::string_view words);

/// As format_type() prints it behind "interval": " day to second(3)", "(3)", "".
std::string interval_modifiers(std::int32_t typmod);

}  // namespace pgveil::types
