#include "sql/types/assignment_cast.hpp"

#include "sql/types/array_value.hpp"
#include "sql/types/calendar.hpp"
#include "sql/types/codec.hpp"
#include "sql/types/convert.hpp"
#include "sql/types/interval_value.hpp"
#include "sql/types/json_text.hpp"
#include "sql/types/network_address.hpp"
#include "sql/types/time_of_day.hpp"
#include "sql/types/time_zone.hpp"
#include "sql/types/timestamp_value.hpp"

#include <algorithm>
#include <array>

namespace pgveil::types {

namespace {

struct Pair {
    Kind from;
    Kind to;

    friend bool operator==(const Pair&, const Pair&) = default;
};

constexpr std::array kPairs = {
    Pair{Kind::kTime, Kind::kInterval},
    Pair{Kind::kInterval, Kind::kTime},
    Pair{Kind::kTimetz, Kind::kTime},
    Pair{Kind::kTimestamp, Kind::kTime},
    Pair{Kind::kTimestamptz, Kind::kTime},
    Pair{Kind::kTimestamptz, Kind::kTimetz},
    Pair{Kind::kInet, Kind::kCidr},
    Pair{Kind::kCidr, Kind::kInet},
    Pair{Kind::kJson, Kind::kJsonb},
    Pair{Kind::kJsonb, Kind::kJson},
};

std::int64_t micros_of_day(std::int64_t micros) {
    return micros - floor_divide(micros, kMicrosPerDay) * kMicrosPerDay;
}

/// What clocks in the session's zone show at a timestamptz; of a timestamp, the timestamp itself.
Result<core::SecretBytes> time_of_timestamp(
    Kind from, Kind to, core::ByteView binary, const TextStyle& style
) {
    const std::int64_t micros = timestamp_value(binary);
    if (!is_finite_timestamp(micros)) {
        return unsupported_form("an infinite timestamp has no time of day");
    }
    TimeValue value;
    if (from == Kind::kTimestamptz) {
        if (style.zone == nullptr) {
            return unsupported_form(
                "the conversion needs this session's TimeZone, which is not known",
                "Set TimeZone to a zone of the IANA database, or cast the value yourself."
            );
        }
        const std::int64_t unix_s =
            floor_divide(micros, kMicrosPerSecond) - kUnixEpochDay * kSecondsPerDay;
        value.seconds_east = style.zone->at_utc(unix_s).seconds_east;
    }
    value.microseconds = micros_of_day(micros + value.seconds_east * kMicrosPerSecond);
    return send_form_of_time(to, value);
}

Result<core::SecretBytes> time_cast(
    Kind from, Kind to, core::ByteView binary, const TextStyle& style
) {
    if (from == Kind::kTime) {
        return send_form_of_interval({time_value(from, binary).microseconds, 0, 0});
    }
    if (from == Kind::kInterval) {
        return send_form_of_time(to, {micros_of_day(interval_value(binary).microseconds), 0});
    }
    if (from == Kind::kTimetz) {
        return send_form_of_time(to, time_value(from, binary));
    }
    return time_of_timestamp(from, to, binary, style);
}

Result<core::SecretBytes> json_cast(Kind to, core::ByteView binary) {
    if (to == Kind::kJsonb) {
        const auto normalised = normalised_json(core::as_text(binary));
        return normalised.has_value() ? Result<core::SecretBytes>(send_form_of_jsonb(*normalised))
                                      : normalised.error();
    }
    const Result<std::string_view> text = jsonb_text(binary);
    return text.has_value()
               ? Result<core::SecretBytes>(core::SecretBytes::copy_of(core::as_bytes(*text)))
               : text.error();
}

}  // namespace

bool has_assignment_cast(Kind from, Kind to) {
    if (is_array(from) && is_array(to)) {
        return is_assignable(element_of(from), element_of(to));
    }
    return std::ranges::find(kPairs, Pair{from, to}) != kPairs.end();
}

Result<core::SecretBytes> assignment_cast(
    Kind from, Kind to, core::ByteView binary, const TextStyle& style
) {
    if (is_array(from)) {
        const Kind element = element_of(from);
        const Type wanted = {element_of(to)};
        return convert_elements(element, wanted.kind, binary, [&](core::ByteView value) {
            return convert_for_assignment(Type{element}, wanted, value, style);
        });
    }
    if (is_network(from)) {
        return network_as(to, binary);
    }
    const bool is_json = from == Kind::kJson || from == Kind::kJsonb;
    return is_json ? json_cast(to, binary) : time_cast(from, to, binary, style);
}

}  // namespace pgveil::types
