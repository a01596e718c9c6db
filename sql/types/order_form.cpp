#include "sql/types/order_form.hpp"

#include "keyshare/core/invariant.hpp"
#include "sql/types/calendar.hpp"
#include "sql/types/numeric.hpp"
#include "sql/types/time_of_day.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace pgveil::types {

namespace {

constexpr std::uint8_t kSignBit = 0x80;
constexpr std::size_t kLengthSize = 2;
constexpr std::size_t kTimeSize = 8;

core::SecretBytes with_sign_flipped(core::ByteView number) {
    core::SecretBytes form = core::SecretBytes::copy_of(number);
    form.reveal_mutable().front() ^= kSignBit;
    return form;
}

/// IEEE 754 numbers of one sign stand in the order of their bits, negative ones the other way. The
/// one NaN of searchable forms stands above infinity, as in PostgreSQL.
core::SecretBytes float_order_form(core::ByteView number) {
    if ((number.front() & kSignBit) == 0) {
        return with_sign_flipped(number);
    }
    core::SecretBytes form = core::SecretBytes::copy_of(number);
    for (std::uint8_t& byte : form.reveal_mutable()) {
        byte = static_cast<std::uint8_t>(~byte);
    }
    return form;
}

/// The instant in UTC as if of one day, then the zone: what PostgreSQL compares, in that order.
core::SecretBytes timetz_order_form(core::ByteView stored) {
    const TimeValue value = time_value(Kind::kTimetz, stored);
    const std::int64_t utc = value.microseconds - value.seconds_east * kMicrosPerSecond;
    core::SecretBytes form =
        core::SecretBytes::copy_of(core::big_endian64(static_cast<std::uint64_t>(utc)));
    form.append(stored.subspan(kTimeSize));
    form.reveal_mutable().front() ^= kSignBit;
    form.reveal_mutable()[kTimeSize] ^= kSignBit;
    return form;
}

Error no_such_value(Type type) {
    return unsupported_form(
        "this numeric has no equal value in an ordered column of type " + name_of(type),
        "Compare with a value that the column could hold."
    );
}

Result<core::SecretBytes> numeric_order_form(Type type, core::ByteView stored) {
    // searchable_form() has forms of its own for what the column cannot hold.
    const Result<Numeric> value = Numeric::from_binary(stored);
    if (!value.has_value()) {
        return no_such_value(type);
    }
    if (value->is_nan()) {
        core::SecretBytes highest(kNumericOrderFormSize);
        std::ranges::fill(highest.reveal_mutable(), std::uint8_t{0xff});
        return highest;
    }
    auto integer = value->scaled_integer(NumericShape::of_typmod(type.typmod)->scale);
    if (!integer) {
        return no_such_value(type);
    }
    integer->reveal_mutable().front() ^= kSignBit;
    return std::move(*integer);
}

Error too_long(std::size_t size, std::uint32_t order_bytes) {
    return {
        ErrorKind::kUnsupportedForm,
        "22001",
        "value too long for an ordered column: it has " + std::to_string(size) +
            " bytes, the column orders " + std::to_string(order_bytes),
        "Raise \"order_bytes\" in the policy while the column is empty, or leave out \"order\"."};
}

/// Two values that differ in zeros at their ends only, as bytea may, differ in the length.
Result<core::SecretBytes> padded_order_form(
    Type type, std::uint32_t order_bytes, core::ByteView stored
) {
    if (stored.size() > order_bytes) {
        return too_long(stored.size(), order_bytes);
    }
    core::SecretBytes form(order_form_size(type, order_bytes));
    core::copy_secret(form.reveal_mutable().first(stored.size()), stored);
    if (type.kind == Kind::kBytea) {
        const auto length = core::big_endian16(static_cast<std::uint16_t>(stored.size()));
        std::ranges::copy(length, form.reveal_mutable().last(kLengthSize).begin());
    }
    return form;
}

}  // namespace

bool has_order_form(Type type) {
    switch (type.kind) {
        case Kind::kInt2:
        case Kind::kInt4:
        case Kind::kInt8:
        case Kind::kDate:
        case Kind::kTimestamp:
        case Kind::kTimestamptz:
        case Kind::kTime:
        case Kind::kTimetz:
        case Kind::kFloat4:
        case Kind::kFloat8:
        case Kind::kBytea:
        case Kind::kText:
        case Kind::kVarchar: return true;
        case Kind::kBpchar: return type.typmod >= 0;
        case Kind::kNumeric: {
            const auto shape = NumericShape::of_typmod(type.typmod);
            return shape && shape->precision <= kNumericOrderDigits;
        }
        case Kind::kBool:
        case Kind::kUuid:
        case Kind::kInterval:
        case Kind::kInet:
        case Kind::kCidr:
        case Kind::kJson:
        case Kind::kJsonb: break;
    }
    return false;
}

bool is_ordered_by_collation(Kind kind) {
    return kind == Kind::kText || kind == Kind::kVarchar || kind == Kind::kBpchar;
}

bool takes_order_bytes(Kind kind) {
    return kind == Kind::kBytea || is_ordered_by_collation(kind);
}

std::size_t order_form_size(Type type, std::uint32_t order_bytes) {
    core::invariant(has_order_form(type), "only types with an order form are ordered");
    if (type.kind == Kind::kNumeric) {
        return kNumericOrderFormSize;
    }
    if (!takes_order_bytes(type.kind)) {
        return static_cast<std::size_t>(typlen_of(type.kind));
    }
    return order_bytes + (type.kind == Kind::kBytea ? kLengthSize : 0);
}

Result<core::SecretBytes> order_form(Type type, std::uint32_t order_bytes, core::ByteView stored) {
    core::invariant(has_order_form(type), "only types with an order form are ordered");
    if (takes_order_bytes(type.kind)) {
        return padded_order_form(type, order_bytes, stored);
    }
    if (type.kind == Kind::kNumeric) {
        return numeric_order_form(type, stored);
    }
    if (type.kind == Kind::kTimetz) {
        return timetz_order_form(stored);
    }
    const bool is_float = type.kind == Kind::kFloat4 || type.kind == Kind::kFloat8;
    return is_float ? float_order_form(stored) : with_sign_flipped(stored);
}

}  // namespace pgveil::types
