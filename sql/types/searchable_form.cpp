#include "sql/types/searchable_form.hpp"

#include "sql/types/character_length.hpp"
#include "sql/types/float_text.hpp"
#include "sql/types/numeric.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace pgveil::types {

namespace {

Error negative_zero() {
    return unsupported_form(
        "a searchable column cannot keep the -0 of floating point apart from 0",
        "Send 0, or leave out \"search\" in the policy."
    );
}

Result<core::SecretBytes> searchable_float(double value, core::ByteView binary) {
    if (value == 0 && std::signbit(value)) {
        return negative_zero();
    }
    return core::SecretBytes::copy_of(binary);
}

Result<core::SecretBytes> searchable_numeric(Type type, core::ByteView binary) {
    Result<Numeric> value = Numeric::from_binary(binary);
    if (!value.has_value()) {
        return value.error();
    }
    if (const auto shape = NumericShape::of_typmod(type.typmod)) {
        value->normalise(shape->scale);
    }
    return value->to_binary();
}

/// The send form holds a number that every database assigns anew.
bool has_assigned_oid(Type type) {
    return is_enum(type.kind) && is_array(type.kind);
}

core::SecretBytes with_element_oid(core::SecretBytes array, std::uint32_t oid) {
    constexpr std::size_t kOffset = 8;
    const auto bytes = core::big_endian32(oid);
    if (array.size() >= kOffset + bytes.size()) {
        std::ranges::copy(bytes, array.reveal_mutable().subspan(kOffset).begin());
    }
    return array;
}

}  // namespace

bool has_searchable_form(Type type) {
    const bool is_never = is_array(type.kind) || type.kind == Kind::kInterval ||
                          type.kind == Kind::kJson || type.kind == Kind::kJsonb;
    const bool needs_typmod = type.kind == Kind::kNumeric || type.kind == Kind::kBpchar;
    return !is_never && (!needs_typmod || type.typmod >= 0);
}

std::string associated_name_of(Type type, bool is_searchable) {
    std::string name = canonical_name_of(type.kind);
    const auto shape = NumericShape::of_typmod(type.typmod);
    if (is_searchable && type.kind == Kind::kNumeric && shape) {
        name += " scale " + std::to_string(shape->scale);
    }
    return name;
}

Result<core::SecretBytes> searchable_form(Type type, core::ByteView binary) {
    switch (type.kind) {
        case Kind::kNumeric: return searchable_numeric(type, binary);
        case Kind::kFloat4:
            return std::isnan(float4_value(binary))
                       ? send_form_of_float4(std::numeric_limits<float>::quiet_NaN())
                       : searchable_float(float4_value(binary), binary);
        case Kind::kFloat8:
            return std::isnan(float8_value(binary))
                       ? send_form_of_float8(std::numeric_limits<double>::quiet_NaN())
                       : searchable_float(float8_value(binary), binary);
        case Kind::kBpchar:
            return core::SecretBytes::copy_of(
                core::as_bytes(without_trailing_blanks(core::as_text(binary)))
            );
        case Kind::kBool:
        case Kind::kInt2:
        case Kind::kInt4:
        case Kind::kInt8:
        case Kind::kText:
        case Kind::kVarchar:
        case Kind::kDate:
        case Kind::kTimestamp:
        case Kind::kTimestamptz:
        case Kind::kUuid:
        case Kind::kBytea:
        case Kind::kTime:
        case Kind::kTimetz:
        case Kind::kInterval:
        case Kind::kInet:
        case Kind::kCidr:
        case Kind::kJson:
        case Kind::kJsonb: break;
    }
    return core::SecretBytes::copy_of(binary);
}

core::SecretBytes stored_form(Type type, core::SecretBytes value) {
    return has_assigned_oid(type) ? with_element_oid(std::move(value), 0) : std::move(value);
}

bool is_stored_as_sent(Type type) {
    return !has_assigned_oid(type) && (type.kind != Kind::kBpchar || type.typmod < 0);
}

Result<core::SecretBytes> send_form_of_stored(Type type, core::SecretBytes stored) {
    if (has_assigned_oid(type)) {
        return with_element_oid(std::move(stored), oid_of(element_of(type.kind)));
    }
    if (is_stored_as_sent(type)) {
        return stored;
    }
    return assign_to_bpchar(type.typmod, core::as_text(stored.reveal()));
}

}  // namespace pgveil::types
