// Text input of time and timetz, as PostgreSQL's DecodeTimeOnly reads it (its documentation,
// section 8.5.1.2), without dates.
#include "sql/types/calendar.hpp"
#include "sql/types/date_fields.hpp"
#include "sql/types/date_tokens.hpp"
#include "sql/types/date_words.hpp"
#include "sql/types/text.hpp"
#include "sql/types/time_of_day.hpp"
#include "sql/types/time_zone.hpp"
#include "sql/types/timestamp_value.hpp"

#include <optional>
#include <string>

namespace pgveil::types {

namespace {

constexpr std::size_t kBufferSize = 129;
constexpr std::int32_t kNoon = 12;
constexpr std::size_t kLongestPlainNumber = 4;

/// Reads tokens one after the other; a field may come once.
class TimeReading {
public:
    explicit TimeReading(const TextStyle& style) : style_(style) {}

    std::optional<DateFault> take(const Token& token) {
        const DateResult<FieldMask> found = read(token);
        if (!found.has_value()) {
            return is_above_ ? DateFault::kNotRead : found.error();
        }
        if ((*found & seen_) != 0) {
            return is_above_ ? DateFault::kNotRead : DateFault::kBadFormat;
        }
        seen_ |= *found;
        return std::nullopt;
    }

    DateResult<TimeValue> finish(Kind kind) {
        if (const std::optional<DateFault> fault = settle_meridiem()) {
            return *fault;
        }
        TimeValue value;
        value.microseconds =
            ((std::int64_t{fields_.hour} * 60 + fields_.minute) * 60 + fields_.second) *
                kMicrosPerSecond +
            fields_.microsecond;
        // Digits that run together are checked here, others where they are read.
        is_above_ = is_above_ || fields_.minute > 59 || fields_.second > 60;
        if (is_above_ || value.microseconds > kMicrosPerDay) {
            return DateFault::kFieldOverflow;
        }
        if ((seen_ & kTimeField) == 0) {
            return DateFault::kBadFormat;
        }
        if (kind == Kind::kTimetz && (seen_ & kZoneField) == 0) {
            const auto east =
                style_.zone == nullptr ? std::nullopt : style_.zone->lasting_seconds_east();
            if (!east) {
                return DateFault::kClockDependent;
            }
            seconds_east_ = *east;
        }
        value.seconds_east = seconds_east_;
        return value;
    }

private:
    DateResult<FieldMask> read(const Token& token) {
        switch (token.type) {
            case TokenType::kNumber: return read_digits(token.text);
            case TokenType::kTime: return read_clock(token.text);
            case TokenType::kZoneOffset: return read_offset(token.text);
            case TokenType::kWord:
            case TokenType::kSignedWord: return read_word(token.text);
            case TokenType::kDate: break;
        }
        return read_digits_and_offset(token.text);
    }

    /// Some of what is too large PostgreSQL notices only behind the last word.
    DateResult<FieldMask> read_clock(std::string_view text) {
        const DateResult<FieldMask> read = read_time(text, fields_);
        const bool is_above = !read.has_value() && read.error() == DateFault::kFieldOverflow;
        is_above_ = is_above_ || is_above;
        return is_above ? DateResult<FieldMask>(kTimeField) : read;
    }

    DateResult<FieldMask> read_digits(std::string_view text) {
        const std::size_t point = text.find('.');
        const bool has_point = point != std::string_view::npos;
        if (has_point && point <= 2) {
            return DateFault::kBadFormat;
        }
        const bool is_long = text.size() > kLongestPlainNumber;
        if (!has_point && !is_long && text.size() != kLongestPlainNumber) {
            return DateFault::kBadFormat;
        }
        return read_run_together(text, seen_ | kDateFields, fields_);
    }

    /// "040506-08"; anything else with such letters is a date or the name of a zone.
    DateResult<FieldMask> read_digits_and_offset(std::string_view text) {
        const std::size_t minus = text.find('-');
        const bool is_time = minus != std::string_view::npos && is_digit(text.front()) &&
                             (seen_ & kTimeField) == 0 && text.find_first_of("./:") > minus;
        const bool has_one_minus = is_time && text.find('-', minus + 1) == std::string_view::npos;
        if (!has_one_minus || (minus != 4 && minus != 6)) {
            return DateFault::kNotRead;
        }
        const DateResult<FieldMask> zone = read_offset(text.substr(minus));
        if (!zone.has_value()) {
            return zone;
        }
        const auto time = read_run_together(text.substr(0, minus), seen_ | kDateFields, fields_);
        return time.has_value() ? DateResult<FieldMask>(*time | *zone) : time;
    }

    DateResult<FieldMask> read_offset(std::string_view text) {
        const DateResult<std::int32_t> east = read_zone_offset(text);
        if (!east.has_value()) {
            return east.error();
        }
        seconds_east_ = *east;
        return kZoneField;
    }

    DateResult<FieldMask> read_word(std::string_view text) {
        if (const std::optional<Abbreviation> zone = find_abbreviation(text)) {
            const bool is_ambiguous =
                !zone->seconds_east ||
                (style_.zone != nullptr &&
                 style_.zone->uses_abbreviation_otherwise(text, *zone->seconds_east));
            if (is_ambiguous) {
                return DateFault::kZoneNotKnown;
            }
            seconds_east_ = *zone->seconds_east;
            return kZoneField;
        }
        if (const std::optional<Word> word = find_word(text)) {
            return read_known_word(*word);
        }
        // The name of a zone needs a date, unless the zone never changes.
        const bool may_be_zone = style_.zones == nullptr || style_.zones->find(text) != nullptr;
        return may_be_zone ? DateFault::kZoneNotKnown : DateFault::kBadFormat;
    }

    DateResult<FieldMask> read_known_word(const Word& word) {
        switch (word.kind) {
            case WordKind::kIgnored: return FieldMask{0};
            case WordKind::kMeridiem: is_pm_ = word.value == 1; return kMeridiemField;
            case WordKind::kClock: return DateFault::kClockDependent;
            case WordKind::kMonth:
            case WordKind::kWeekday:
            case WordKind::kEra:
            case WordKind::kTimePrefix:
            case WordKind::kEpoch:
            case WordKind::kInfinity:
            case WordKind::kMinusInfinity:
            case WordKind::kNotRead: break;
        }
        return DateFault::kNotRead;
    }

    std::optional<DateFault> settle_meridiem() {
        if ((seen_ & kMeridiemField) == 0) {
            return std::nullopt;
        }
        if (fields_.hour > kNoon) {
            return DateFault::kFieldOverflow;
        }
        fields_.hour = fields_.hour % kNoon + (is_pm_ ? kNoon : 0);
        return std::nullopt;
    }

    const TextStyle& style_;
    DateTimeFields fields_;
    FieldMask seen_ = 0;
    std::int32_t seconds_east_ = 0;
    bool is_pm_ = false;
    bool is_above_ = false;  // a part, or the whole, is more than a day has
};

Error error_of(DateFault fault, Kind kind, std::string_view text) {
    const std::string quoted = "\"" + std::string(text) + "\"";
    switch (fault) {
        case DateFault::kFieldOverflow:
        case DateFault::kMonthDayOverflow:
            return invalid_value("22008", "date/time field value out of range: " + quoted);
        case DateFault::kZoneOverflow:
            return invalid_value("22009", "time zone displacement out of range: " + quoted);
        case DateFault::kClockDependent:
            return unsupported_form(
                "this time of day depends on the clock and cannot be sealed",
                "Write the time with its offset from UTC, as in 10:00:00+02."
            );
        case DateFault::kZoneNotKnown:
        case DateFault::kSessionZoneNeeded:
            return unsupported_form(
                "the time zone in this value cannot be told for certain",
                "Write the offset from UTC, as in 10:00:00+02."
            );
        case DateFault::kNotRead:
            return unsupported_form(
                "this form of a time of day cannot be read", "Write it as HH:MM:SS."
            );
        case DateFault::kBadFormat:
        case DateFault::kIntervalOverflow:
        case DateFault::kUnknownZone: break;
    }
    const std::string_view name = kind == Kind::kTime ? "time" : "time with time zone";
    return invalid_value(
        "22007", "invalid input syntax for type " + std::string(name) + ": " + quoted
    );
}

}  // namespace

Result<core::SecretBytes> time_from_text(Type type, std::string_view text, const TextStyle& style) {
    const std::optional<DateTokens> tokens = DateTokens::split(text, kBufferSize);
    if (!tokens) {
        return error_of(DateFault::kBadFormat, type.kind, text);
    }
    TimeReading reading(style);
    for (const Token& token : tokens->tokens()) {
        if (const std::optional<DateFault> fault = reading.take(token)) {
            return error_of(*fault, type.kind, text);
        }
    }
    DateResult<TimeValue> value = reading.finish(type.kind);
    if (!value.has_value()) {
        return error_of(value.error(), type.kind, text);
    }
    value->microseconds = round_to_precision(value->microseconds, type.typmod);
    return send_form_of_time(type.kind, *value);
}

}  // namespace pgveil::types
