#include "sql/types/date_reading.hpp"

#include "sql/types/text.hpp"

#include <algorithm>

namespace pgveil::types {

namespace {

constexpr std::int32_t kMonthsPerYear = 12;
constexpr std::int32_t kDaysPerMonthMax = 31;
constexpr std::int32_t kNoon = 12;
constexpr std::int32_t kSecondsPerHour = 3600;
constexpr std::int32_t kSecondsPerMinute = 60;
constexpr std::size_t kRunTogetherSize = 6;

/// A POSIX zone ("foo3", "gmt+3") is made by rule, not looked up; all others are names.
bool may_be_posix_zone(std::string_view name) {
    return std::any_of(name.begin(), name.end(), is_digit);
}

}  // namespace

std::optional<DateFault> DateReading::take(const Token& token) {
    const bool can_be_time = token.type == TokenType::kNumber || token.type == TokenType::kTime ||
                             token.type == TokenType::kDate;
    if (expects_time_ && !can_be_time) {
        return DateFault::kNotRead;  // "T" before a word: PostgreSQL 16 reads it, 15 does not
    }
    if (result_.special != SpecialTime::kNone) {
        return DateFault::kNotRead;  // versions differ about "infinity" beside other words
    }
    DateResult<FieldMask> found = DateFault::kBadFormat;
    written_ = token.written;
    switch (token.type) {
        case TokenType::kNumber: found = take_number(token.text); break;
        case TokenType::kDate: found = take_date_token(token.text); break;
        case TokenType::kTime: found = take_time(token.text); break;
        case TokenType::kZoneOffset: found = take_zone_offset(token.text); break;
        case TokenType::kWord:
        case TokenType::kSignedWord: found = take_word(token.text); break;
    }
    if (!found.has_value()) {
        return found.error();
    }
    has_tokens_ = true;
    if ((*found & seen_) != 0) {
        return DateFault::kBadFormat;
    }
    seen_ |= *found;
    return std::nullopt;
}

DateResult<FieldMask> DateReading::take_date_token(std::string_view text) {
    if (!expects_time_ && !has(kMonthField | kDayField)) {
        return take_date(text);
    }
    if (expects_time_ || is_digit(text.front())) {
        return take_time_and_zone(text);
    }
    return take_named_zone(text, DateFault::kUnknownZone);
}

DateResult<FieldMask> DateReading::take_date(std::string_view text) {
    // A zone before the date is read by PostgreSQL, but not a daylight-saving abbreviation.
    return has(kZoneField) ? DateResult<FieldMask>(DateFault::kNotRead)
                           : read_date(text, context(), fields_);
}

/// "040506-08": a run-together time with its zone.
DateResult<FieldMask> DateReading::take_time_and_zone(std::string_view text) {
    expects_time_ = false;
    const std::size_t minus = text.find('-');
    if (has(kTimeField) || minus == std::string_view::npos) {
        return DateFault::kBadFormat;
    }
    const DateResult<FieldMask> zone = take_zone_offset(text.substr(minus));
    if (!zone.has_value()) {
        return zone;
    }
    const DateResult<FieldMask> time = read_run_together(text.substr(0, minus), seen_, fields_);
    return time.has_value() ? DateResult<FieldMask>(*time | *zone) : time;
}

DateResult<FieldMask> DateReading::take_number(std::string_view text) {
    if (expects_time_) {
        expects_time_ = false;
        const std::string_view digits = text.substr(0, text.find('.'));
        return digits.empty() || parse_int32(digits)
                   ? read_run_together(text, seen_ | kDateFields, fields_)
                   : DateFault::kFieldOverflow;
    }
    const std::size_t point = text.find('.');
    const bool has_point = point != std::string_view::npos;
    if (has_point && (seen_ & kDateFields) == 0) {
        return take_date(text);
    }
    const bool is_open = (seen_ & kDateFields) == 0 || !has(kTimeField);
    if ((has_point && point > 2) || (text.size() >= kRunTogetherSize && is_open)) {
        return read_run_together(text, seen_, fields_);
    }
    return read_number(text, context(), fields_);
}

DateResult<FieldMask> DateReading::take_time(std::string_view text) {
    expects_time_ = false;
    return read_time(text, fields_);
}

DateResult<FieldMask> DateReading::take_zone_offset(std::string_view text) {
    const DateResult<std::int32_t> east = read_zone_offset(text);
    if (!east.has_value()) {
        return east.error();
    }
    result_.has_zone = true;
    result_.seconds_east = *east;
    return kZoneField;
}

DateResult<FieldMask> DateReading::take_word(std::string_view text) {
    if (const std::optional<Abbreviation> zone = find_abbreviation(text)) {
        // PostgreSQL 18 asks the session's zone first, older ones only the abbreviation set.
        const bool is_ambiguous =
            !zone->seconds_east ||
            (style_.zone != nullptr &&
             style_.zone->uses_abbreviation_otherwise(text, *zone->seconds_east));
        if (is_ambiguous) {
            return DateFault::kZoneNotKnown;
        }
        result_.has_zone = true;
        result_.seconds_east = *zone->seconds_east;
        return kZoneField;
    }
    if (const std::optional<Word> word = find_word(text)) {
        return take_known_word(*word);
    }
    return take_named_zone(text, DateFault::kBadFormat);
}

DateResult<FieldMask> DateReading::take_known_word(const Word& word) {
    switch (word.kind) {
        case WordKind::kIgnored: return FieldMask{0};
        case WordKind::kMonth: return take_month(word.value);
        case WordKind::kWeekday: return kWeekdayField;
        case WordKind::kMeridiem: is_pm_ = word.value == 1; return kMeridiemField;
        case WordKind::kEra: is_bc_ = word.value == 1; return kEraField;
        case WordKind::kTimePrefix: return take_time_prefix();
        case WordKind::kEpoch: return take_special(SpecialTime::kEpoch);
        case WordKind::kInfinity: return take_special(SpecialTime::kInfinity);
        case WordKind::kMinusInfinity: return take_special(SpecialTime::kMinusInfinity);
        case WordKind::kClock: return DateFault::kClockDependent;
        case WordKind::kNotRead: break;
    }
    return DateFault::kNotRead;
}

/// "8 Jan": the number taken for a month before was the day.
DateResult<FieldMask> DateReading::take_month(std::int32_t month) {
    const bool number_was_day = has(kMonthField) && !has_text_month_ && !has(kDayField) &&
                                fields_.month >= 1 && fields_.month <= kDaysPerMonthMax;
    if (number_was_day) {
        fields_.day = fields_.month;
    }
    has_text_month_ = true;
    fields_.month = month;
    return number_was_day ? kDayField : kMonthField;
}

DateResult<FieldMask> DateReading::take_time_prefix() {
    if (!has(kDateFields) || expects_time_) {
        return DateFault::kBadFormat;
    }
    expects_time_ = true;
    return FieldMask{0};
}

DateResult<FieldMask> DateReading::take_special(SpecialTime special) {
    if (has_tokens_) {
        return DateFault::kNotRead;
    }
    result_.special = special;
    return kDateFields | kTimeField | kZoneField;
}

DateResult<FieldMask> DateReading::take_named_zone(std::string_view name, DateFault unknown) {
    if (style_.zones == nullptr) {
        return DateFault::kZoneNotKnown;
    }
    result_.named_zone = is_zone_name(name) ? style_.zones->find(written_) : nullptr;
    if (result_.named_zone == nullptr) {
        return may_be_posix_zone(name) ? DateFault::kZoneNotKnown : unknown;
    }
    result_.has_zone = true;
    return kZoneField;
}

DateResult<DateTimeText> DateReading::finish() {
    if (expects_time_) {
        return DateFault::kBadFormat;
    }
    if (result_.special != SpecialTime::kNone) {
        return result_;
    }
    if (const std::optional<DateFault> fault = settle_year()) {
        return *fault;
    }
    if (const std::optional<DateFault> fault = check_date()) {
        return *fault;
    }
    if (const std::optional<DateFault> fault = settle_meridiem()) {
        return *fault;
    }
    if (!has(kDateFields)) {
        return DateFault::kBadFormat;
    }
    result_.date = {fields_.year, fields_.month, fields_.day};
    result_.seconds_of_day = std::int64_t{fields_.hour} * kSecondsPerHour +
                             fields_.minute * kSecondsPerMinute + fields_.second;
    result_.microsecond = fields_.microsecond;
    return result_;
}

std::optional<DateFault> DateReading::settle_year() {
    if (!has(kYearField)) {
        return std::nullopt;
    }
    if (fields_.has_two_digit_year && !is_bc_) {
        fields_.year += fields_.year < 70 ? 2000 : 0;
        fields_.year += fields_.year < 100 ? 1900 : 0;
        return std::nullopt;
    }
    if (fields_.year <= 0) {
        return DateFault::kFieldOverflow;
    }
    if (is_bc_) {
        fields_.year = 1 - fields_.year;
    }
    return std::nullopt;
}

std::optional<DateFault> DateReading::check_date() const {
    if (has(kMonthField) && (fields_.month < 1 || fields_.month > kMonthsPerYear)) {
        return DateFault::kMonthDayOverflow;
    }
    if (has(kDayField) && (fields_.day < 1 || fields_.day > kDaysPerMonthMax)) {
        return DateFault::kMonthDayOverflow;
    }
    if (has(kDateFields) && fields_.day > days_in_month(fields_.year, fields_.month)) {
        return DateFault::kFieldOverflow;
    }
    return std::nullopt;
}

std::optional<DateFault> DateReading::settle_meridiem() {
    if (!has(kMeridiemField)) {
        return std::nullopt;
    }
    if (fields_.hour > kNoon) {
        return DateFault::kFieldOverflow;
    }
    if (!is_pm_ && fields_.hour == kNoon) {
        fields_.hour = 0;
    } else if (is_pm_ && fields_.hour != kNoon) {
        fields_.hour += kNoon;
    }
    return std::nullopt;
}

}  // namespace pgveil::types
