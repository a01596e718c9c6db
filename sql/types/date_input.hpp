#pragma once

#include "keyshare/core/secret.hpp"
#include "sql/types/style.hpp"
#include "sql/types/type.hpp"

#include <string_view>

namespace pgveil::types {

/// date_in, timestamp_in and timestamptz_in: any order of words, numbers, times and zones that
/// PostgreSQL reads, DateStyle's order deciding about numbers. Refused (kUnsupportedForm): what
/// depends on the clock, julian days and days of the year, unit letters, "dst", abbreviations whose
/// meaning depends on settings, POSIX zone strings.
Result<core::SecretBytes> date_time_from_text(
    Type type, std::string_view text, const TextStyle& style
);

}  // namespace pgveil::types
