#include "sql/types/time_of_day.hpp"

#include "sql/types/calendar.hpp"
#include "sql/types/composed_text.hpp"
#include "sql/types/timestamp_value.hpp"

#include <cstdlib>

namespace pgveil::types {

namespace {

constexpr std::size_t kTimeSize = 8;
constexpr std::int32_t kZoneLimit = 16 * 3600;  // not reached by any zone

bool is_time_in_range(std::int64_t microseconds) {
    return microseconds >= 0 && microseconds <= kMicrosPerDay;
}

}  // namespace

core::SecretBytes send_form_of_time(Kind kind, TimeValue value) {
    auto bytes =
        core::SecretBytes::copy_of(core::big_endian64(static_cast<std::uint64_t>(value.microseconds)
        ));
    if (kind == Kind::kTimetz) {
        bytes.append(core::big_endian32(static_cast<std::uint32_t>(-value.seconds_east)));
    }
    return bytes;
}

TimeValue time_value(Kind kind, core::ByteView binary) {
    TimeValue value;
    value.microseconds = static_cast<std::int64_t>(core::read_big_endian64(binary));
    if (kind == Kind::kTimetz) {
        const std::uint32_t west = core::read_big_endian32(binary.subspan(kTimeSize));
        value.seconds_east = static_cast<std::int32_t>(0U - west);
    }
    return value;
}

Result<core::SecretBytes> time_from_binary(Type type, core::ByteView binary) {
    TimeValue value = time_value(type.kind, binary);
    if (!is_time_in_range(value.microseconds)) {
        return invalid_value("22008", "time out of range");
    }
    if (value.seconds_east <= -kZoneLimit || value.seconds_east >= kZoneLimit) {
        return invalid_value("22009", "time zone displacement out of range");
    }
    value.microseconds = round_to_precision(value.microseconds, type.typmod);
    return send_form_of_time(type.kind, value);
}

Result<void> append_time(Kind kind, core::ByteView binary, TextSink& sink) {
    const TimeValue value = time_value(kind, binary);
    const bool has_zone = value.seconds_east > -kZoneLimit && value.seconds_east < kZoneLimit;
    if (!is_time_in_range(value.microseconds) || !has_zone) {
        return invalid_value("22P03", "incorrect binary data format");
    }
    ComposedText out;
    add_time_of_day(out, value.microseconds);
    if (kind == Kind::kTimetz) {
        add_offset(out, value.seconds_east);
    }
    sink.append(out.text());
    return {};
}

}  // namespace pgveil::types
