#include "sql/types/convert.hpp"

#include "sql/types/array_value.hpp"
#include "sql/types/assignment_cast.hpp"
#include "sql/types/calendar.hpp"
#include "sql/types/character_length.hpp"
#include "sql/types/codec.hpp"
#include "sql/types/float_text.hpp"
#include "sql/types/network_address.hpp"
#include "sql/types/number_casts.hpp"
#include "sql/types/scalar_text.hpp"
#include "sql/types/text.hpp"
#include "sql/types/time_zone.hpp"
#include "sql/types/timestamp_value.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace pgveil::types {

namespace {

bool is_date_time(Kind kind) {
    return kind == Kind::kDate || kind == Kind::kTimestamp || kind == Kind::kTimestamptz;
}

Error no_conversion(Type from, Type to, std::string_view use) {
    return unsupported_form(
        "a value of type " + sql_name_of(from) + " cannot be " + std::string(use) +
            " an encrypted column of type " + sql_name_of(to),
        "Cast the value to " + sql_name_of(Type{to.kind}) + "."
    );
}

Error not_lossless(Type from, Type column) {
    return unsupported_form(
        "this " + sql_name_of(from) + " has no equal value in an encrypted column of type " +
            sql_name_of(column),
        "Compare with a value of type " + sql_name_of(Type{column.kind}) + "."
    );
}

Error session_zone_needed() {
    return unsupported_form(
        "the conversion needs this session's TimeZone, which is not known",
        "Set TimeZone to a zone of the IANA database, or cast the value yourself."
    );
}

Result<core::SecretBytes> date_to_timestamp_exactly(core::ByteView binary, Type column) {
    const std::int64_t day = date_value(binary);
    if (!is_finite_date(day)) {
        return send_form_of_timestamp(day > 0 ? kTimestampInfinity : kTimestampMinusInfinity);
    }
    // kEndTimestamp is a midnight, so days compare as well as microseconds.
    if (day * kSecondsPerDay >= kEndTimestamp / kMicrosPerSecond) {
        return not_lossless(Type{Kind::kDate}, column);
    }
    return send_form_of_timestamp(day * kMicrosPerDay);
}

Result<core::SecretBytes> timestamp_to_date_exactly(core::ByteView binary, Type from, Type column) {
    const std::int64_t micros = timestamp_value(binary);
    if (!is_finite_timestamp(micros)) {
        return send_form_of_date(micros > 0 ? kDateInfinity : kDateMinusInfinity);
    }
    if (micros % kMicrosPerDay != 0) {
        return not_lossless(from, column);
    }
    return send_form_of_date(micros / kMicrosPerDay);
}

/// Local microseconds to UTC by the session's zone.
std::optional<std::int64_t> utc_of_local(std::int64_t micros, const TextStyle& style) {
    if (style.zone == nullptr) {
        return std::nullopt;
    }
    const std::int64_t local_s =
        floor_divide(micros, kMicrosPerSecond) - kUnixEpochDay * kSecondsPerDay;
    return micros - style.zone->seconds_east_at_local(local_s) * kMicrosPerSecond;
}

std::optional<std::int64_t> local_of_utc(std::int64_t micros, const TextStyle& style) {
    if (style.zone == nullptr) {
        return std::nullopt;
    }
    const std::int64_t unix_s =
        floor_divide(micros, kMicrosPerSecond) - kUnixEpochDay * kSecondsPerDay;
    return micros + style.zone->at_utc(unix_s).seconds_east * kMicrosPerSecond;
}

/// Timestamps keep their infinities in every conversion; finite ones go through `convert`.
template <class Convert>
Result<core::SecretBytes> timestamp_by(std::int64_t micros, Type column, Convert convert) {
    const std::optional<std::int64_t> converted =
        is_finite_timestamp(micros) ? convert(micros) : micros;
    if (!converted) {
        return session_zone_needed();
    }
    if (!is_timestamp_in_range(*converted)) {
        return invalid_value("22008", "timestamp out of range");
    }
    return send_form_of_timestamp(round_to_precision(*converted, column.typmod));
}

Result<core::SecretBytes> assign_date_to_timestamp(
    Type column, core::ByteView binary, const TextStyle& style
) {
    const Result<core::SecretBytes> midnight =
        date_to_timestamp_exactly(binary, Type{Kind::kTimestamp});
    if (!midnight.has_value()) {
        return invalid_value("22008", "date out of range for timestamp");
    }
    return timestamp_by(timestamp_value(midnight->reveal()), column, [&](std::int64_t micros) {
        return column.kind == Kind::kTimestamptz ? utc_of_local(micros, style)
                                                 : std::optional(micros);
    });
}

Result<core::SecretBytes> assign_timestamp_to_date(
    Kind from, core::ByteView binary, const TextStyle& style
) {
    const std::int64_t micros = timestamp_value(binary);
    if (!is_finite_timestamp(micros)) {
        return send_form_of_date(micros > 0 ? kDateInfinity : kDateMinusInfinity);
    }
    const std::optional<std::int64_t> local =
        from == Kind::kTimestamptz ? local_of_utc(micros, style) : micros;
    if (!local) {
        return session_zone_needed();
    }
    return send_form_of_date(floor_divide(*local, kMicrosPerDay));
}

Result<core::SecretBytes> assign_date_time(
    Type from, Type column, core::ByteView binary, const TextStyle& style
) {
    if (from.kind == Kind::kDate) {
        return assign_date_to_timestamp(column, binary, style);
    }
    if (column.kind == Kind::kDate) {
        return assign_timestamp_to_date(from.kind, binary, style);
    }
    return timestamp_by(timestamp_value(binary), column, [&](std::int64_t micros) {
        return column.kind == Kind::kTimestamptz ? utc_of_local(micros, style)
                                                 : local_of_utc(micros, style);
    });
}

/// PostgreSQL takes the blanks off a char(n) that becomes text, and compares text with them.
Result<core::SecretBytes> compare_characters(Type from, Type column, core::SecretBytes value) {
    const std::string_view text = core::as_text(value.reveal());
    const std::string_view bare = without_trailing_blanks(text);
    if (from.kind == Kind::kBpchar && column.kind == Kind::kVarchar) {
        return unsupported_form(
            "a varchar is compared with a character constant (such as N'...') without the blanks "
            "at the end, which cannot be done with an encrypted column",
            "Write the constant as '...'."
        );
    }
    if (from.kind == Kind::kBpchar) {
        return core::SecretBytes::copy_of(core::as_bytes(bare));
    }
    if (column.kind == Kind::kBpchar && bare.size() != text.size()) {
        return not_lossless(from, column);
    }
    return value;
}

/// -0 and 0 are equal, and only 0 is stored where values are compared.
core::SecretBytes without_negative_zero(Kind kind, core::SecretBytes value) {
    if (kind == Kind::kFloat4 && float4_value(value.reveal()) == 0) {
        return send_form_of_float4(0);
    }
    if (kind == Kind::kFloat8 && float8_value(value.reveal()) == 0) {
        return send_form_of_float8(0);
    }
    return value;
}

Result<core::SecretBytes> compare_numbers(Type from, Type column, core::ByteView binary) {
    auto equal = equal_number(from.kind, column, binary);
    if (!equal.has_value()) {
        return equal.error();
    }
    return *equal
               ? Result<core::SecretBytes>(without_negative_zero(column.kind, std::move(**equal)))
               : not_lossless(from, column);
}

/// Equal networks of the two types differ in a mark only.
Result<core::SecretBytes> compare_networks(Type from, Type column, core::ByteView binary) {
    return column.kind == Kind::kCidr && has_host_bits(binary)
               ? not_lossless(from, column)
               : Result<core::SecretBytes>(network_as(column.kind, binary));
}

/// The netmask that the output function of inet leaves out where it covers the whole address.
std::string_view left_out_netmask(Kind from, core::ByteView binary) {
    if (from != Kind::kInet || !is_single_host(binary)) {
        return "";
    }
    return binary.front() == 2 ? "/32" : "/128";
}

/// The assignment cast of nearly every type to text is its output function.
Result<core::SecretBytes> assign_as_text(
    Type from, Type column, core::ByteView binary, const TextStyle& style
) {
    // bool and inet are the exceptions: their casts write the whole word, and the netmask always.
    Result<core::SecretBytes> text =
        from.kind == Kind::kBool
            ? core::SecretBytes::copy_of(core::as_bytes(binary.front() != 0 ? "true" : "false"))
            : to_text(from, binary, style);
    if (!text.has_value()) {
        return text.error();
    }
    text->append(core::as_bytes(left_out_netmask(from.kind, binary)));
    const std::string_view written = core::as_text(text->reveal());
    return from_binary(
        column,
        core::as_bytes(from.kind == Kind::kBpchar ? without_trailing_blanks(written) : written)
    );
}

bool is_day(Kind kind) {
    return kind == Kind::kDate || kind == Kind::kTimestamp;
}

}  // namespace

bool is_characters(Kind kind) {
    return kind == Kind::kText || kind == Kind::kVarchar || kind == Kind::kBpchar;
}

bool is_comparable(Kind from, Kind column) {
    return from == column || (is_characters(from) && is_characters(column)) ||
           (is_number(from) && is_number(column)) || (is_day(from) && is_day(column)) ||
           (is_network(from) && is_network(column));
}

bool is_assignable(Kind from, Kind column) {
    return from == column || is_characters(column) || (is_number(from) && is_number(column)) ||
           (is_date_time(from) && is_date_time(column)) || has_assignment_cast(from, column);
}

Result<core::SecretBytes> convert_for_comparison(Type from, Type column, core::ByteView binary) {
    Result<core::SecretBytes> value = from_binary(Type{from.kind}, binary);
    if (!value.has_value()) {
        return value;
    }
    if (from.kind == column.kind) {
        return without_negative_zero(column.kind, std::move(*value));
    }
    if (is_characters(from.kind) && is_characters(column.kind)) {
        return compare_characters(from, column, std::move(*value));
    }
    if (is_number(from.kind) && is_number(column.kind)) {
        return compare_numbers(from, column, value->reveal());
    }
    if (is_network(from.kind) && is_network(column.kind)) {
        return compare_networks(from, column, value->reveal());
    }
    if (from.kind == Kind::kDate && column.kind == Kind::kTimestamp) {
        return date_to_timestamp_exactly(value->reveal(), column);
    }
    if (from.kind == Kind::kTimestamp && column.kind == Kind::kDate) {
        return timestamp_to_date_exactly(value->reveal(), from, column);
    }
    return no_conversion(from, column, "compared with");
}

Result<core::SecretBytes> convert_for_assignment(
    Type from, Type column, core::ByteView binary, const TextStyle& style
) {
    Result<core::SecretBytes> value = from_binary(Type{from.kind}, binary);
    if (!value.has_value()) {
        return value;
    }
    if (from.kind == column.kind) {
        return from_binary(column, value->reveal());
    }
    if (is_characters(column.kind)) {
        return assign_as_text(from, column, value->reveal(), style);
    }
    if (is_number(from.kind) && is_number(column.kind)) {
        const Result<core::SecretBytes> number =
            cast_number(from.kind, column.kind, value->reveal());
        return number.has_value() ? from_binary(column, number->reveal()) : number.error();
    }
    if (is_date_time(from.kind) && is_date_time(column.kind)) {
        return assign_date_time(from, column, value->reveal(), style);
    }
    if (has_assignment_cast(from.kind, column.kind)) {
        const auto cast = assignment_cast(from.kind, column.kind, value->reveal(), style);
        return cast.has_value() ? from_binary(column, cast->reveal()) : cast.error();
    }
    return no_conversion(from, column, "assigned to");
}

Result<core::SecretBytes> apply_explicit_typmod(Type type, core::ByteView binary) {
    Result<core::SecretBytes> value = from_binary(Type{type.kind}, binary);
    if (!value.has_value()) {
        return value;
    }
    if (is_array(type.kind)) {
        const Type element = {element_of(type.kind), type.typmod};
        return convert_elements(
            element.kind,
            element.kind,
            value->reveal(),
            [&element](core::ByteView item) { return apply_explicit_typmod(element, item); }
        );
    }
    if (type.kind == Kind::kVarchar) {
        return truncate_to_varchar(type.typmod, core::as_text(value->reveal()));
    }
    return type.kind == Kind::kBpchar
               ? truncate_to_bpchar(type.typmod, core::as_text(value->reveal()))
               : from_binary(type, value->reveal());
}

bool is_castable(Kind from, Kind to) {
    return from == Kind::kText || from == Kind::kVarchar || is_assignable(from, to);
}

Result<core::SecretBytes> cast_explicitly(
    Type from, Type to, core::ByteView binary, const TextStyle& style
) {
    const bool is_read =
        (from.kind == Kind::kText || from.kind == Kind::kVarchar) && !is_characters(to.kind);
    const Result<core::SecretBytes> value =
        is_read ? from_text({to.kind, -1}, core::as_text(binary), style)
                : convert_for_assignment(from, {to.kind, -1}, binary, style);
    return value.has_value() ? apply_explicit_typmod(to, value->reveal()) : value.error();
}

Result<core::SecretBytes> convert_unchanged(
    Type from, Type column, core::ByteView binary, const TextStyle& style
) {
    Result<core::SecretBytes> converted = convert_for_assignment(from, column, binary, style);
    const bool is_same = converted.has_value() && std::ranges::equal(converted->reveal(), binary);
    return is_same ? std::move(converted)
                   : unsupported_form(
                         "a constant beside an encrypted column of type " + sql_name_of(column) +
                             " that the column could not hold as it is",
                         "Write a value of the column's own type, length and scale."
                     );
}

}  // namespace pgveil::types
