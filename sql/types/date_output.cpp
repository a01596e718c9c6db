#include "sql/types/date_output.hpp"

#include "sql/types/calendar.hpp"
#include "sql/types/composed_text.hpp"
#include "sql/types/time_zone.hpp"
#include "sql/types/timestamp_value.hpp"

#include <array>

namespace pgveil::types {

namespace {

constexpr std::array<std::string_view, 12> kMonthNames = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDayNames = {
    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::size_t kAbbreviationMax = 10;
constexpr std::size_t kYearWidth = 4;

struct ZoneText {
    std::int32_t seconds_east = 0;
    std::string_view abbreviation;
};

/// A local time with everything that is printed.
struct LocalTime {
    CivilDate date;
    std::int64_t day = 0;
    std::int64_t micros_of_day = 0;
    const ZoneText* zone = nullptr;  // null: none printed
};

void add_year(ComposedText& out, CivilDate date) {
    out.add_number(date.year > 0 ? date.year : 1 - date.year, kYearWidth);
}

void add_era(ComposedText& out, CivilDate date) {
    if (date.year <= 0) {
        out.add(" BC");
    }
}

void add_two_in_order(ComposedText& out, CivilDate date, DateOrder order, char delimiter) {
    const bool day_first = order == DateOrder::kDmy;
    out.add_number(day_first ? date.day : date.month, 2);
    out.add(delimiter);
    out.add_number(day_first ? date.month : date.day, 2);
}

void add_iso_date(ComposedText& out, CivilDate date) {
    add_year(out, date);
    out.add('-');
    out.add_number(date.month, 2);
    out.add('-');
    out.add_number(date.day, 2);
}

void add_german_date(ComposedText& out, CivilDate date) {
    out.add_number(date.day, 2);
    out.add('.');
    out.add_number(date.month, 2);
    out.add('.');
    add_year(out, date);
}

/// The date alone; the Postgres style of a timestamp differs (add_postgres_timestamp).
void add_date(ComposedText& out, CivilDate date, const TextStyle& style) {
    switch (style.date_style) {
        case DateStyle::kIso: add_iso_date(out, date); return;
        case DateStyle::kGerman: add_german_date(out, date); return;
        case DateStyle::kSql:
        case DateStyle::kPostgres: break;
    }
    const char delimiter = style.date_style == DateStyle::kSql ? '/' : '-';
    add_two_in_order(out, date, style.date_order, delimiter);
    out.add(delimiter);
    add_year(out, date);
}

void add_zone(ComposedText& out, const ZoneText* zone, DateStyle style) {
    if (zone == nullptr) {
        return;
    }
    if (style == DateStyle::kIso) {
        add_offset(out, zone->seconds_east);
        return;
    }
    out.add(' ');
    out.add(zone->abbreviation.substr(0, kAbbreviationMax));
}

/// "Wed 17 Dec 07:37:16 1997 PST"
void add_postgres_timestamp(ComposedText& out, const LocalTime& local, const TextStyle& style) {
    const std::string_view month = kMonthNames.at(static_cast<std::size_t>(local.date.month - 1));
    const bool day_first = style.date_order == DateOrder::kDmy;
    out.add(kDayNames.at(static_cast<std::size_t>(weekday_of(local.day))));
    out.add(' ');
    if (!day_first) {
        out.add(month);
        out.add(' ');
    }
    out.add_number(local.date.day, 2);
    if (day_first) {
        out.add(' ');
        out.add(month);
    }
    out.add(' ');
    add_time_of_day(out, local.micros_of_day);
    out.add(' ');
    add_year(out, local.date);
}

void append_timestamp(const LocalTime& local, const TextStyle& style, TextSink& sink) {
    ComposedText out;
    if (style.date_style == DateStyle::kPostgres) {
        add_postgres_timestamp(out, local, style);
    } else {
        add_date(out, local.date, style);
        out.add(' ');
        add_time_of_day(out, local.micros_of_day);
    }
    add_zone(out, local.zone, style.date_style);
    add_era(out, local.date);
    sink.append(out.text());
}

LocalTime local_time_of(std::int64_t micros) {
    const std::int64_t day = floor_divide(micros, kMicrosPerDay);
    return {civil_date_of(day), day, micros - day * kMicrosPerDay, nullptr};
}

Error outside_type(Kind kind) {
    return invalid_value(
        "22008", std::string(kind == Kind::kDate ? "date" : "timestamp") + " out of range"
    );
}

Result<void> append_date(std::int64_t day, const TextStyle& style, TextSink& sink) {
    ComposedText out;
    const CivilDate date = civil_date_of(day);
    add_date(out, date, style);
    add_era(out, date);
    sink.append(out.text());
    return {};
}

Result<void> append_timestamptz(std::int64_t micros, const TextStyle& style, TextSink& sink) {
    if (style.zone == nullptr) {
        return unsupported_form(
            "a timestamp with time zone cannot be written, because this session's TimeZone is not "
            "known",
            "Set TimeZone to a zone of the IANA database, or ask for the binary format."
        );
    }
    const std::int64_t unix_s =
        floor_divide(micros, kMicrosPerSecond) - kUnixEpochDay * kSecondsPerDay;
    const LocalTimeType& type = style.zone->at_utc(unix_s);
    const ZoneText zone = {type.seconds_east, type.abbreviation};
    LocalTime local = local_time_of(micros + zone.seconds_east * kMicrosPerSecond);
    local.zone = &zone;
    append_timestamp(local, style, sink);
    return {};
}

bool is_infinite(Kind kind, std::int64_t value) {
    return kind == Kind::kDate ? !is_finite_date(value) : !is_finite_timestamp(value);
}

bool is_in_range(Kind kind, std::int64_t value) {
    return kind == Kind::kDate ? is_date_in_range(value) : is_timestamp_shown(value);
}

}  // namespace

Result<void> append_date_time(
    Kind kind, core::ByteView binary, const TextStyle& style, TextSink& sink
) {
    const std::int64_t value = kind == Kind::kDate ? date_value(binary) : timestamp_value(binary);
    if (!is_in_range(kind, value)) {
        return outside_type(kind);
    }
    if (is_infinite(kind, value)) {
        sink.append(value > 0 ? "infinity" : "-infinity");
        return {};
    }
    if (kind == Kind::kDate) {
        return append_date(value, style, sink);
    }
    if (kind == Kind::kTimestamptz) {
        return append_timestamptz(value, style, sink);
    }
    append_timestamp(local_time_of(value), style, sink);
    return {};
}

}  // namespace pgveil::types
