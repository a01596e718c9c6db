#include "sql/types/interval_value.hpp"
#include "sql/types/text.hpp"

#include <charconv>
#include <limits>
#include <memory>
#include <optional>

namespace pgveil::types {

namespace {

using Unit = IntervalSum::Unit;

std::optional<Unit> date_unit(char designator) {
    switch (designator) {
        case 'Y': return Unit::kYear;
        case 'M': return Unit::kMonth;
        case 'W': return Unit::kWeek;
        case 'D': return Unit::kDay;
        default: return std::nullopt;
    }
}

std::optional<Unit> time_unit(char designator) {
    switch (designator) {
        case 'H': return Unit::kHour;
        case 'M': return Unit::kMinute;
        case 'S': return Unit::kSecond;
        default: return std::nullopt;
    }
}

struct Number {
    std::int64_t whole = 0;
    double fraction = 0;
};

/// "-1.5": no plus, no exponent.
DateResult<Number> take_number(std::string_view& rest) {
    const bool is_negative = rest.starts_with('-');
    const std::size_t sign = is_negative ? 1 : 0;
    std::size_t end = sign;
    while (end < rest.size() && is_digit(rest[end])) {
        ++end;
    }
    const std::size_t digits_end = end;
    const bool has_point = end < rest.size() && rest[end] == '.';
    end += has_point ? 1 : 0;
    while (has_point && end < rest.size() && is_digit(rest[end])) {
        ++end;
    }
    Number number;
    const char* const begin = std::to_address(rest.begin());
    if (digits_end > sign &&
        std::from_chars(begin + sign, begin + digits_end, number.whole).ec != std::errc()) {
        return DateFault::kFieldOverflow;
    }
    if (end > digits_end + 1) {
        std::from_chars(begin + digits_end, begin + end, number.fraction);
    }
    if (digits_end == sign) {
        return DateFault::kNotRead;  // ".5", "-.5", "": versions differ
    }
    if (number.whole > std::numeric_limits<std::int32_t>::max()) {
        return DateFault::kNotRead;
    }
    if (is_negative) {
        number = {-number.whole, -number.fraction};
    }
    rest.remove_prefix(end);
    return number;
}

}  // namespace

DateResult<IntervalValue> read_iso8601_interval(std::string_view text) {
    if (text.size() < 2 || text.front() != 'P') {
        return DateFault::kBadFormat;
    }
    IntervalSum sum;
    bool is_time = false;
    bool has_field = false;
    for (std::string_view rest = text.substr(1); !rest.empty();) {
        if (rest.front() == 'T') {
            is_time = true;
            has_field = false;
            rest.remove_prefix(1);
            continue;
        }
        const bool is_number = is_digit(rest.front()) || rest.front() == '-' || rest.front() == '.';
        if (!is_number) {
            return DateFault::kBadFormat;
        }
        const DateResult<Number> number = take_number(rest);
        if (!number.has_value()) {
            return number.error();
        }
        // Without a designator: the alternative form, P0001-02-03T04:05:06.
        const auto unit = rest.empty() ? std::nullopt
                          : is_time    ? time_unit(rest.front())
                                       : date_unit(rest.front());
        if (!unit) {
            return DateFault::kNotRead;
        }
        rest.remove_prefix(1);
        if (const auto fault = sum.add(*unit, number->whole, number->fraction)) {
            return *fault;
        }
        has_field = true;
    }
    return has_field ? sum.total() : DateFault::kNotRead;
}

}  // namespace pgveil::types
