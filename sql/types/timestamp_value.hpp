#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"

#include <cstdint>
#include <limits>

// Dates and timestamps as numbers and as send forms.
namespace pgveil::types {

inline constexpr std::int64_t kDateInfinity = std::numeric_limits<std::int32_t>::max();
inline constexpr std::int64_t kDateMinusInfinity = std::numeric_limits<std::int32_t>::min();
inline constexpr std::int64_t kTimestampInfinity = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kTimestampMinusInfinity = std::numeric_limits<std::int64_t>::min();

bool is_finite_date(std::int64_t day);
bool is_finite_timestamp(std::int64_t micros);

/// Within what the types can hold, the infinities included.
bool is_date_in_range(std::int64_t day);
bool is_timestamp_in_range(std::int64_t micros);
/// The same, and what timestamp(p) rounds the last moments of the range to: it is stored and shown,
/// but not read.
bool is_timestamp_shown(std::int64_t micros);

/// Four bytes, big endian: days since 2000-01-01.
core::SecretBytes send_form_of_date(std::int64_t day);
/// Eight bytes, big endian: microseconds since 2000-01-01 00:00.
core::SecretBytes send_form_of_timestamp(std::int64_t micros);

std::int64_t date_value(core::ByteView binary);
std::int64_t timestamp_value(core::ByteView binary);

/// To 10^-precision seconds, halves away from the epoch, as PostgreSQL's timestamp(p). -1: as it
/// is.
std::int64_t round_to_precision(std::int64_t micros, std::int32_t precision);

}  // namespace pgveil::types
