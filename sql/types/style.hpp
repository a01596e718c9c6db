#pragma once

#include "sql/types/error.hpp"

#include <string_view>

namespace pgveil::types {

class TimeZone;
class TimeZoneSource;

enum class DateStyle { kIso, kSql, kPostgres, kGerman };
enum class DateOrder { kMdy, kDmy, kYmd };
enum class IntervalStyle { kPostgres, kPostgresVerbose, kSqlStandard, kIso8601 };
enum class ByteaOutput { kHex, kEscape };

/// The session settings that decide how values are read and written as text. Defaults are
/// PostgreSQL's own. A plain value; the zones are borrowed and must outlive it.
struct TextStyle {
    DateStyle date_style = DateStyle::kIso;
    DateOrder date_order = DateOrder::kMdy;
    IntervalStyle interval_style = IntervalStyle::kPostgres;
    ByteaOutput bytea_output = ByteaOutput::kHex;
    /// -15 to 3; see append_float.
    int extra_float_digits = 1;
    /// Off: an unquoted NULL in the text of an array is that word.
    bool array_nulls = true;
    /// The session's TimeZone. Null: unknown; then a timestamptz that needs it is refused.
    const TimeZone* zone = nullptr;
    /// For zone names inside values. Null: such values are refused.
    const TimeZoneSource* zones = nullptr;
};

/// Sets style and order from a ParameterStatus value such as "ISO, DMY". Order of words, case and
/// missing halves as in PostgreSQL; an unknown word leaves `style` alone and is an error.
Result<void> set_date_style(TextStyle& style, std::string_view parameter_value);

/// Sets the style from "postgres", "postgres_verbose", "sql_standard" or "iso_8601".
Result<void> set_interval_style(TextStyle& style, std::string_view parameter_value);

/// Sets bytea_output from "hex" or "escape".
Result<void> set_bytea_output(TextStyle& style, std::string_view parameter_value);

/// Sets extra_float_digits from a number of -15 to 3.
Result<void> set_extra_float_digits(TextStyle& style, std::string_view parameter_value);

}  // namespace pgveil::types
