#include "sql/types/date_input.hpp"

#include "sql/types/calendar.hpp"
#include "sql/types/date_reading.hpp"
#include "sql/types/timestamp_value.hpp"

#include <string>

namespace pgveil::types {

namespace {

constexpr std::size_t kDateBufferSize = 129;
constexpr std::size_t kTimestampBufferSize = 153;

std::string quoted(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

/// The zone that was not found: PostgreSQL quotes the token, not the text.
std::string unknown_zone_of(const DateTokens& tokens, std::size_t failed) {
    return std::string(tokens.tokens()[failed].text);
}

std::string_view error_type_name(Kind kind) {
    if (kind == Kind::kDate) {
        return "date";
    }
    return kind == Kind::kTimestamp ? "timestamp" : "timestamp with time zone";
}

Error error_of(DateFault fault, Kind kind, std::string_view text) {
    switch (fault) {
        case DateFault::kFieldOverflow:
            return invalid_value("22008", "date/time field value out of range: " + quoted(text));
        case DateFault::kMonthDayOverflow:
            return invalid_value(
                "22008",
                "date/time field value out of range: " + quoted(text),
                "Perhaps you need a different \"datestyle\" setting."
            );
        case DateFault::kZoneOverflow:
            return invalid_value("22009", "time zone displacement out of range: " + quoted(text));
        case DateFault::kClockDependent:
            return unsupported_form(
                "date/time words that depend on the clock (now, today, tomorrow, yesterday) cannot "
                "be sealed",
                "Send the date itself, or use a parameter."
            );
        case DateFault::kZoneNotKnown:
            return unsupported_form(
                "the time zone in this value cannot be told for certain",
                "Write the offset from UTC, as in 2024-01-31 10:00:00+02."
            );
        case DateFault::kSessionZoneNeeded:
            return unsupported_form(
                "a timestamp without an offset cannot be read, because this session's TimeZone is "
                "not known",
                "Write the offset from UTC, or set TimeZone to a zone of the IANA database."
            );
        case DateFault::kNotRead:
            return unsupported_form(
                "this form of a date or timestamp cannot be read",
                "Write it in ISO form: YYYY-MM-DD HH:MM:SS."
            );
        case DateFault::kBadFormat:
        case DateFault::kIntervalOverflow:
        case DateFault::kUnknownZone: break;
    }
    return invalid_value(
        "22007",
        "invalid input syntax for type " + std::string(error_type_name(kind)) + ": " + quoted(text)
    );
}

Error out_of_range(Kind kind, std::string_view text) {
    const std::string name = kind == Kind::kDate ? "date" : "timestamp";
    return invalid_value("22008", name + " out of range: " + quoted(text));
}

Result<DateTimeText> read(Kind kind, std::string_view text, const TextStyle& style) {
    const std::size_t capacity = kind == Kind::kDate ? kDateBufferSize : kTimestampBufferSize;
    const std::optional<DateTokens> tokens = DateTokens::split(text, capacity);
    if (!tokens) {
        return error_of(DateFault::kBadFormat, kind, text);
    }
    DateReading reading(style);
    for (std::size_t index = 0; index < tokens->tokens().size(); ++index) {
        const std::optional<DateFault> fault = reading.take(tokens->tokens()[index]);
        if (fault == DateFault::kUnknownZone) {
            const std::string zone = unknown_zone_of(*tokens, index);
            return invalid_value("22023", "time zone " + quoted(zone) + " not recognized");
        }
        if (fault) {
            return error_of(*fault, kind, text);
        }
    }
    const DateResult<DateTimeText> read = reading.finish();
    if (!read.has_value()) {
        return error_of(read.error(), kind, text);
    }
    return *read;
}

Result<core::SecretBytes> date_send_form(const DateTimeText& value, std::string_view text) {
    switch (value.special) {
        case SpecialTime::kEpoch: return send_form_of_date(kUnixEpochDay);
        case SpecialTime::kInfinity: return send_form_of_date(kDateInfinity);
        case SpecialTime::kMinusInfinity: return send_form_of_date(kDateMinusInfinity);
        case SpecialTime::kNone: break;
    }
    if (!is_countable(value.date)) {
        return out_of_range(Kind::kDate, text);
    }
    const std::int64_t day = day_of(value.date);
    if (day < kFirstDate || day >= kEndDate) {
        return out_of_range(Kind::kDate, text);
    }
    return send_form_of_date(day);
}

std::int64_t special_timestamp(SpecialTime special) {
    if (special == SpecialTime::kEpoch) {
        return kUnixEpochDay * kMicrosPerDay;
    }
    return special == SpecialTime::kInfinity ? kTimestampInfinity : kTimestampMinusInfinity;
}

/// Seconds from local time to UTC; nullopt if the session's zone is needed and not known.
std::optional<std::int64_t> offset_of(
    const DateTimeText& value, std::int64_t local_unix_s, const TextStyle& style
) {
    if (value.has_zone && value.named_zone == nullptr) {
        return value.seconds_east;
    }
    const TimeZone* const zone = value.has_zone ? value.named_zone : style.zone;
    if (zone == nullptr) {
        return std::nullopt;
    }
    return zone->seconds_east_at_local(local_unix_s);
}

Result<core::SecretBytes> timestamp_send_form(
    Type type, const DateTimeText& value, std::string_view text, const TextStyle& style
) {
    if (value.special != SpecialTime::kNone) {
        return send_form_of_timestamp(special_timestamp(value.special));
    }
    if (!is_countable(value.date)) {
        return out_of_range(type.kind, text);
    }
    std::int64_t seconds = day_of(value.date) * kSecondsPerDay + value.seconds_of_day;
    if (type.kind == Kind::kTimestamptz) {
        const auto offset = offset_of(value, seconds - kUnixEpochDay * kSecondsPerDay, style);
        if (!offset) {
            return error_of(DateFault::kSessionZoneNeeded, type.kind, text);
        }
        seconds -= *offset;
    }
    // Seconds first: outside this range the microseconds would not fit 64 bits.
    const bool may_fit = seconds >= kFirstTimestamp / kMicrosPerSecond - 1 &&
                         seconds <= kEndTimestamp / kMicrosPerSecond;
    const std::int64_t micros = may_fit ? seconds * kMicrosPerSecond + value.microsecond : 0;
    if (!may_fit || micros < kFirstTimestamp || micros >= kEndTimestamp) {
        return out_of_range(type.kind, text);
    }
    return send_form_of_timestamp(round_to_precision(micros, type.typmod));
}

}  // namespace

Result<core::SecretBytes> date_time_from_text(
    Type type, std::string_view text, const TextStyle& style
) {
    const Result<DateTimeText> value = read(type.kind, text, style);
    if (!value.has_value()) {
        return value.error();
    }
    return type.kind == Kind::kDate ? date_send_form(*value, text)
                                    : timestamp_send_form(type, *value, text, style);
}

}  // namespace pgveil::types
