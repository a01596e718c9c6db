#pragma once

#include "sql/types/calendar.hpp"
#include "sql/types/date_fields.hpp"
#include "sql/types/date_tokens.hpp"
#include "sql/types/date_words.hpp"
#include "sql/types/time_zone.hpp"

#include <optional>
#include <string_view>

namespace pgveil::types {

enum class SpecialTime { kNone, kEpoch, kInfinity, kMinusInfinity };

/// What a text says: either a special time, or a valid date with a time of day and a zone.
struct DateTimeText {
    SpecialTime special = SpecialTime::kNone;
    CivilDate date;
    /// Local time of day; a day's worth and more can come from run-together digits.
    std::int64_t seconds_of_day = 0;
    std::int32_t microsecond = 0;
    bool has_zone = false;
    std::int32_t seconds_east = 0;  // if has_zone and no named zone
    const TimeZone* named_zone = nullptr;
};

/// Reads tokens one after the other, as PostgreSQL's DecodeDateTime does: a field may come once.
class DateReading {
public:
    explicit DateReading(const TextStyle& style) : style_(style) {}

    /// Nullopt if the token was understood.
    std::optional<DateFault> take(const Token& token);

    /// After the last token: checks that the date is whole and valid.
    DateResult<DateTimeText> finish();

private:
    DateResult<FieldMask> take_date_token(std::string_view text);
    DateResult<FieldMask> take_date(std::string_view text);
    DateResult<FieldMask> take_time_and_zone(std::string_view text);
    DateResult<FieldMask> take_number(std::string_view text);
    DateResult<FieldMask> take_time(std::string_view text);
    DateResult<FieldMask> take_zone_offset(std::string_view text);
    DateResult<FieldMask> take_word(std::string_view text);
    DateResult<FieldMask> take_known_word(const Word& word);
    DateResult<FieldMask> take_month(std::int32_t month);
    DateResult<FieldMask> take_time_prefix();
    DateResult<FieldMask> take_special(SpecialTime special);
    DateResult<FieldMask> take_named_zone(std::string_view name, DateFault unknown);

    bool has(FieldMask fields) const { return (seen_ & fields) == fields; }

    NumberContext context() const { return {seen_, has_text_month_, style_.date_order}; }

    std::optional<DateFault> settle_year();
    std::optional<DateFault> check_date() const;
    std::optional<DateFault> settle_meridiem();

    const TextStyle& style_;
    DateTimeFields fields_;
    FieldMask seen_ = 0;
    DateTimeText result_;
    std::string_view written_;  // the token being taken, for names where case matters
    bool has_tokens_ = false;
    bool has_text_month_ = false;
    bool is_bc_ = false;
    bool is_pm_ = false;
    bool expects_time_ = false;
};

}  // namespace pgveil::types
