// Numbers inside dates: which field a number is depends on its length, on DateStyle's order and on
// the fields before it (PostgreSQL documentation, appendix B.1).
#include "sql/types/date_fields.hpp"
#include "sql/types/text.hpp"

#include <charconv>
#include <cmath>
#include <memory>

namespace pgveil::types {

namespace {

constexpr std::size_t kYearDigitsMax = 9;
constexpr double kMicros = 1000000.0;

std::int32_t small_number(std::string_view digits) {
    return parse_int32(digits).value_or(0);
}

/// Which single field an integer is; no value if it must be a time of day.
std::optional<FieldMask> field_of_number(std::size_t length, const NumberContext& context) {
    const bool reads_as_year = length >= 3 || context.order == DateOrder::kYmd;
    switch (context.seen & kDateFields) {
        case 0:
            if (reads_as_year) {
                return kYearField;
            }
            return context.order == DateOrder::kDmy ? kDayField : kMonthField;
        case kYearField:
        case kDayField: return kMonthField;
        case kMonthField: return context.has_text_month && reads_as_year ? kYearField : kDayField;
        case kYearField | kMonthField: return kDayField;
        case kMonthField | kDayField: return kYearField;
        default: return std::nullopt;
    }
}

void set_field(FieldMask field, std::int32_t value, std::size_t length, DateTimeFields& fields) {
    if (field == kYearField) {
        fields.year = value;
        fields.has_two_digit_year = length <= 2;
    } else if (field == kMonthField) {
        fields.month = value;
    } else {
        fields.day = value;
    }
}

DateResult<FieldMask> read_fractional_number(
    std::string_view text, std::size_t point, FieldMask seen, DateTimeFields& fields
) {
    if (point > 2) {
        return read_run_together(text, seen | kDateFields, fields);
    }
    // "jan 12.5 2020": the fraction lands in the seconds. Better not read at all.
    return (seen & kDateFields) == kDateFields ? DateFault::kBadFormat : DateFault::kNotRead;
}

std::optional<FieldMask> read_compact_date(std::string_view text, DateTimeFields& fields) {
    const std::string_view year = text.substr(0, text.size() - 4);
    fields.day = small_number(text.substr(text.size() - 2));
    fields.month = small_number(text.substr(text.size() - 4, 2));
    fields.year = small_number(year);
    if (year.size() == 2) {
        fields.has_two_digit_year = true;
    }
    return kDateFields;
}

}  // namespace

std::optional<std::int32_t> read_fraction(std::string_view text) {
    const std::string_view digits = text.substr(1);
    if (!is_all_digits(digits)) {
        return std::nullopt;
    }
    double fraction = 0;
    if (!digits.empty()) {
        std::from_chars(std::to_address(text.begin()), std::to_address(text.end()), fraction);
    }
    return static_cast<std::int32_t>(std::nearbyint(fraction * kMicros));
}

DateResult<FieldMask> read_number(
    std::string_view text, const NumberContext& context, DateTimeFields& fields
) {
    const std::size_t point = text.find('.');
    const std::string_view digits = text.substr(0, point);
    if (digits.empty() || !is_all_digits(digits)) {
        return DateFault::kBadFormat;
    }
    const std::optional<std::int32_t> value = parse_int32(digits);
    if (!value) {
        return DateFault::kFieldOverflow;
    }
    if (point != std::string_view::npos) {
        return read_fractional_number(text, point, context.seen, fields);
    }
    const FieldMask date_seen = context.seen & kDateFields;
    if (text.size() == 3 && date_seen == kYearField && *value >= 1 && *value <= 366) {
        return DateFault::kNotRead;  // day of the year
    }
    if (date_seen == kDateFields) {
        return read_run_together(text, context.seen, fields);
    }
    // DD-MON-YYYY under YMD: the first number was taken for a year, and was the day.
    const bool year_was_day = date_seen == (kYearField | kMonthField) && context.has_text_month &&
                              text.size() >= 3 && fields.has_two_digit_year;
    if (year_was_day) {
        fields.day = fields.year;
        fields.year = *value;
        fields.has_two_digit_year = false;
        return kDayField;
    }
    const std::optional<FieldMask> field = field_of_number(text.size(), context);
    if (!field) {
        return DateFault::kBadFormat;
    }
    set_field(*field, *value, text.size(), fields);
    return *field;
}

DateResult<FieldMask> read_run_together(
    std::string_view text, FieldMask seen, DateTimeFields& fields
) {
    const std::size_t point = text.find('.');
    const std::string_view digits = text.substr(0, point);
    if (!is_all_digits(digits)) {
        return DateFault::kNotRead;
    }
    const bool date_is_open = (seen & kDateFields) != kDateFields;
    if (point == std::string_view::npos && date_is_open && digits.size() >= 6) {
        if (digits.size() - 4 > kYearDigitsMax) {
            return DateFault::kNotRead;
        }
        return *read_compact_date(digits, fields);
    }
    if (point != std::string_view::npos) {
        const std::optional<std::int32_t> fraction = read_fraction(text.substr(point));
        if (!fraction) {
            return DateFault::kNotRead;
        }
        fields.microsecond = *fraction;
    }
    const bool is_time = digits.size() == 4 || digits.size() == 6;
    if ((seen & kTimeField) != 0 || !is_time) {
        return DateFault::kBadFormat;
    }
    fields.hour = small_number(digits.substr(0, 2));
    fields.minute = small_number(digits.substr(2, 2));
    fields.second = digits.size() == 6 ? small_number(digits.substr(4)) : 0;
    return kTimeField;
}

}  // namespace pgveil::types
