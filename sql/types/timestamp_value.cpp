#include "sql/types/timestamp_value.hpp"

#include "sql/types/calendar.hpp"

namespace pgveil::types {

namespace {

constexpr std::int32_t kMaxPrecision = 6;

}  // namespace

bool is_finite_date(std::int64_t day) {
    return day != kDateInfinity && day != kDateMinusInfinity;
}

bool is_finite_timestamp(std::int64_t micros) {
    return micros != kTimestampInfinity && micros != kTimestampMinusInfinity;
}

bool is_date_in_range(std::int64_t day) {
    return !is_finite_date(day) || (day >= kFirstDate && day < kEndDate);
}

bool is_timestamp_in_range(std::int64_t micros) {
    return !is_finite_timestamp(micros) || (micros >= kFirstTimestamp && micros < kEndTimestamp);
}

bool is_timestamp_shown(std::int64_t micros) {
    return is_timestamp_in_range(micros) || micros == kEndTimestamp;
}

core::SecretBytes send_form_of_date(std::int64_t day) {
    const auto bytes = core::big_endian32(static_cast<std::uint32_t>(day));
    return core::SecretBytes::copy_of(bytes);
}

core::SecretBytes send_form_of_timestamp(std::int64_t micros) {
    const auto bytes = core::big_endian64(static_cast<std::uint64_t>(micros));
    return core::SecretBytes::copy_of(bytes);
}

std::int64_t date_value(core::ByteView binary) {
    return static_cast<std::int32_t>(core::read_big_endian32(binary));
}

std::int64_t timestamp_value(core::ByteView binary) {
    return static_cast<std::int64_t>(core::read_big_endian64(binary));
}

std::int64_t round_to_precision(std::int64_t micros, std::int32_t precision) {
    if (precision < 0 || precision >= kMaxPrecision || !is_finite_timestamp(micros)) {
        return micros;
    }
    std::int64_t step = 1;
    for (std::int32_t digit = precision; digit < kMaxPrecision; ++digit) {
        step *= 10;
    }
    const std::int64_t half = step / 2;
    return micros >= 0 ? (micros + half) / step * step : -((-micros + half) / step * step);
}

}  // namespace pgveil::types
