#include "sql/types/calendar.hpp"
#include "sql/types/composed_text.hpp"
#include "sql/types/interval_value.hpp"

#include <array>
#include <cstdlib>

namespace pgveil::types {

namespace {

constexpr std::int32_t kMonthsPerYear = 12;

/// What is printed; every part keeps its sign.
struct Parts {
    std::int64_t years = 0;
    std::int64_t months = 0;
    std::int64_t days = 0;
    std::int64_t hours = 0;
    std::int64_t minutes = 0;
    std::int64_t seconds = 0;
    std::int64_t microseconds = 0;

    bool has_time() const { return hours != 0 || has_below_hours(); }

    bool has_below_hours() const { return minutes != 0 || has_seconds(); }

    bool has_seconds() const { return seconds != 0 || microseconds != 0; }

    bool has_years_or_months() const { return years != 0 || months != 0; }
};

Parts parts_of(const IntervalValue& value) {
    Parts parts;
    parts.years = value.months / kMonthsPerYear;
    parts.months = value.months % kMonthsPerYear;
    parts.days = value.days;
    const std::int64_t seconds = value.microseconds / kMicrosPerSecond;
    parts.hours = seconds / 3600;
    parts.minutes = seconds / 60 % 60;
    parts.seconds = seconds % 60;
    parts.microseconds = value.microseconds % kMicrosPerSecond;
    return parts;
}

bool is_time_negative(const Parts& parts) {
    return parts.hours < 0 || parts.minutes < 0 || parts.seconds < 0 || parts.microseconds < 0;
}

/// Without sign: "05.7", or "5.7".
void add_seconds(ComposedText& out, const Parts& parts, std::size_t width) {
    out.add_number(std::abs(parts.seconds), width);
    add_fraction(out, std::abs(parts.microseconds));
}

/// "4:05:06.7", the hours with at least `width` digits.
void add_clock(ComposedText& out, const Parts& parts, std::size_t width) {
    out.add_number(std::abs(parts.hours), width);
    out.add(':');
    out.add_number(std::abs(parts.minutes), 2);
    out.add(':');
    add_seconds(out, parts, 2);
}

struct Word {
    std::int64_t number;
    std::string_view unit;
};

/// "1 year -2 mons +3 days -04:05:06": a part behind a negative one gets a sign.
void add_postgres(ComposedText& out, const Parts& parts) {
    bool is_empty = true;
    bool was_negative = false;
    const std::array words = {
        Word{parts.years, "year"}, Word{parts.months, "mon"}, Word{parts.days, "day"}};
    for (const Word& word : words) {
        if (word.number == 0) {
            continue;
        }
        out.add(is_empty ? "" : " ");
        out.add(was_negative && word.number > 0 ? "+" : "");
        out.add_number(word.number, 1);
        out.add(' ');
        out.add(word.unit);
        out.add(word.number == 1 ? "" : "s");
        was_negative = word.number < 0;
        is_empty = false;
    }
    if (is_empty || parts.has_time()) {
        out.add(is_empty ? "" : " ");
        out.add(is_time_negative(parts) ? "-" : was_negative ? "+" : "");
        add_clock(out, parts, 2);
    }
}

/// "@ 1 year 2 mons -3 days 4 hours 5 mins 6.7 secs ago": the first part decides about `ago`.
void add_verbose(ComposedText& out, const Parts& parts) {
    bool is_empty = true;
    bool is_ago = false;
    out.add('@');
    const std::array words = {
        Word{parts.years, "year"},
        Word{parts.months, "mon"},
        Word{parts.days, "day"},
        Word{parts.hours, "hour"},
        Word{parts.minutes, "min"}};
    for (const Word& word : words) {
        if (word.number == 0) {
            continue;
        }
        is_ago = is_empty ? word.number < 0 : is_ago;
        const std::int64_t shown = is_ago ? -word.number : word.number;
        out.add(' ');
        out.add_number(shown, 1);
        out.add(' ');
        out.add(word.unit);
        out.add(shown == 1 ? "" : "s");
        is_empty = false;
    }
    if (parts.has_seconds()) {
        const bool is_negative = parts.seconds < 0 || parts.microseconds < 0;
        is_ago = is_empty ? is_negative : is_ago;
        out.add(is_negative != is_ago ? " -" : " ");
        add_seconds(out, parts, 1);
        const bool is_one = std::abs(parts.seconds) == 1 && parts.microseconds == 0;
        out.add(is_one ? " sec" : " secs");
        is_empty = false;
    }
    out.add(is_empty ? " 0" : "");
    out.add(is_ago ? " ago" : "");
}

/// "P1Y2M3DT4H5M6.7S"
void add_iso8601(ComposedText& out, const Parts& parts) {
    const auto add_part = [&out](std::int64_t number, char designator) {
        if (number != 0) {
            out.add_number(number, 1);
            out.add(designator);
        }
    };
    out.add('P');
    add_part(parts.years, 'Y');
    add_part(parts.months, 'M');
    add_part(parts.days, 'D');
    const bool is_empty = !parts.has_years_or_months() && parts.days == 0 && !parts.has_time();
    if (is_empty) {
        out.add("T0S");
        return;
    }
    out.add(parts.has_time() ? "T" : "");
    add_part(parts.hours, 'H');
    add_part(parts.minutes, 'M');
    if (parts.has_seconds()) {
        out.add(parts.seconds < 0 || parts.microseconds < 0 ? "-" : "");
        add_seconds(out, parts, 1);
        out.add('S');
    }
}

/// "+1-2 -3 +4:05:06": more than the standard knows, with every sign.
void add_mixed_standard(ComposedText& out, const Parts& parts) {
    out.add(parts.years < 0 || parts.months < 0 ? '-' : '+');
    out.add_number(std::abs(parts.years), 1);
    out.add('-');
    out.add_number(std::abs(parts.months), 1);
    out.add(parts.days < 0 ? " -" : " +");
    out.add_number(std::abs(parts.days), 1);
    out.add(is_time_negative(parts) ? " -" : " +");
    add_clock(out, parts, 1);
}

/// "1-2", "3 4:05:06", "4:05:06", with one sign for all.
void add_standard(ComposedText& out, const Parts& parts) {
    const bool is_negative =
        parts.years < 0 || parts.months < 0 || parts.days < 0 || is_time_negative(parts);
    const bool is_positive = parts.years > 0 || parts.months > 0 || parts.days > 0 ||
                             parts.hours > 0 || parts.minutes > 0 || parts.seconds > 0 ||
                             parts.microseconds > 0;
    const bool has_days_or_time = parts.days != 0 || parts.has_time();
    const bool is_mixed =
        (is_negative && is_positive) || (parts.has_years_or_months() && has_days_or_time);
    if (is_mixed) {
        add_mixed_standard(out, parts);
        return;
    }
    out.add(is_negative ? "-" : "");
    if (!is_negative && !is_positive) {
        out.add('0');
    } else if (parts.has_years_or_months()) {
        out.add_number(std::abs(parts.years), 1);
        out.add('-');
        out.add_number(std::abs(parts.months), 1);
    } else {
        if (parts.days != 0) {
            out.add_number(std::abs(parts.days), 1);
            out.add(' ');
        }
        add_clock(out, parts, 1);
    }
}

}  // namespace

void append_interval(core::ByteView binary, IntervalStyle style, TextSink& sink) {
    const Parts parts = parts_of(interval_value(binary));
    ComposedText out;
    switch (style) {
        case IntervalStyle::kPostgres: add_postgres(out, parts); break;
        case IntervalStyle::kPostgresVerbose: add_verbose(out, parts); break;
        case IntervalStyle::kSqlStandard: add_standard(out, parts); break;
        case IntervalStyle::kIso8601: add_iso8601(out, parts); break;
    }
    sink.append(out.text());
}

}  // namespace pgveil::types
