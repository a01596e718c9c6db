#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "sql/types/codec.hpp"
#include "sql/types/date_fields.hpp"

#include <cstdint>

// interval: months, days and microseconds, each with a sign of its own (PostgreSQL documentation
// section 8.5.4).
namespace pgveil::types {

struct IntervalValue {
    std::int64_t microseconds = 0;
    std::int32_t days = 0;
    std::int32_t months = 0;
};

/// The send form, 16 bytes.
core::SecretBytes send_form_of_interval(const IntervalValue& value);
IntervalValue interval_value(core::ByteView binary);

/// As assignment to interval with this typmod changes it: fields it does not keep become 0, seconds
/// are rounded.
IntervalValue fit_interval(const IntervalValue& value, std::int32_t typmod);

/// interval_in, with assignment to the typmod; IntervalStyle decides about signs (sql_standard) and
/// the typmod about numbers without a unit. Refused (kUnsupportedForm): infinity, fractions of a
/// year that are no whole months, of a microsecond, and ties of rounding, where PostgreSQL 14 and
/// 15 differ; a unit without a number; `ago` elsewhere than at the end; ISO 8601's alternative
/// form.
Result<core::SecretBytes> interval_from_text(
    Type type, std::string_view text, const TextStyle& style
);

/// interval_recv; 16 bytes.
Result<core::SecretBytes> interval_from_binary(Type type, core::ByteView binary);

/// interval_out in the four styles of IntervalStyle; 16 bytes.
void append_interval(core::ByteView binary, IntervalStyle style, TextSink& sink);

/// Adds up what a text says, as PostgreSQL 15 does.
class IntervalSum {
public:
    enum class Unit {
        kMicrosecond,
        kMillisecond,
        kSecond,
        kMinute,
        kHour,
        kDay,
        kWeek,
        kMonth,
        kYear,
        kDecade,
        kCentury,
        kMillennium,
    };

    /// `whole` and `fraction` of a unit; both have the sign of the number.
    std::optional<DateFault> add(Unit unit, std::int64_t whole, double fraction);
    std::optional<DateFault> add_microseconds(std::int64_t more);
    std::optional<DateFault> negate();

    /// kIntervalOverflow if the years and months do not fit.
    DateResult<IntervalValue> total() const;

private:
    std::optional<DateFault> add_days(std::int64_t more);
    std::optional<DateFault> add_fraction_of_months(double months);
    std::optional<DateFault> add_fraction_of_days(double days);
    std::optional<DateFault> add_fraction_of_microseconds(double microseconds);

    IntervalValue value_;
    std::int32_t years_ = 0;
};

/// "P1Y2M3DT4H5M6.7S", "P2W": the designators of ISO 8601.
DateResult<IntervalValue> read_iso8601_interval(std::string_view text);

}  // namespace pgveil::types
