#include "sql/types/codec.hpp"

#include "sql/types/array_value.hpp"
#include "sql/types/bytea_text.hpp"
#include "sql/types/character_length.hpp"
#include "sql/types/date_input.hpp"
#include "sql/types/date_output.hpp"
#include "sql/types/enum_type.hpp"
#include "sql/types/float_text.hpp"
#include "sql/types/interval_value.hpp"
#include "sql/types/json_text.hpp"
#include "sql/types/network_address.hpp"
#include "sql/types/numeric.hpp"
#include "sql/types/scalar_text.hpp"
#include "sql/types/secret_sink.hpp"
#include "sql/types/text.hpp"
#include "sql/types/time_of_day.hpp"
#include "sql/types/timestamp_value.hpp"

#include <string>

namespace pgveil::types {

namespace {

Error wrong_size(std::size_t size, std::size_t expected) {
    // What pq_getmsgint says for a short message, and the end of exec_bind_message for a long one.
    return size < expected ? invalid_value("08P01", "insufficient data left in message")
                           : invalid_value("22P03", "incorrect binary data format");
}

/// Send form, or why the bytes are not one.
Result<void> check_size(Kind kind, core::ByteView binary) {
    const std::int16_t typlen = typlen_of(kind);
    if (typlen >= 0 && !is_enum(kind) && binary.size() != static_cast<std::size_t>(typlen)) {
        return wrong_size(binary.size(), static_cast<std::size_t>(typlen));
    }
    return {};
}

/// Valid UTF-8 as a value of text, varchar or char.
Result<core::SecretBytes> characters_of(Type type, std::string_view text) {
    if (type.kind == Kind::kVarchar) {
        return assign_to_varchar(type.typmod, text);
    }
    return type.kind == Kind::kBpchar ? assign_to_bpchar(type.typmod, text)
                                      : core::SecretBytes::copy_of(core::as_bytes(text));
}

Result<core::SecretBytes> numeric_with_limits(Type type, Result<Numeric> value) {
    const auto shape = NumericShape::of_typmod(type.typmod);
    if (value.has_value() && shape) {
        const Result<void> fitted = value->fit(*shape);
        if (!fitted.has_value()) {
            return fitted.error();
        }
    }
    return value.has_value() ? Result<core::SecretBytes>(value->to_binary()) : value.error();
}

Result<void> append_numeric(core::ByteView binary, TextSink& sink) {
    const Result<Numeric> value = Numeric::from_binary(binary);
    if (!value.has_value()) {
        return invalid_value("22P03", "incorrect binary data format");
    }
    value->append_text(sink);
    return {};
}

Result<core::SecretBytes> text_from_binary(Type type, core::ByteView binary) {
    const std::string_view text = core::as_text(binary);
    const Result<void> checked = check_utf8(text);
    if (!checked.has_value()) {
        return checked.error();
    }
    return characters_of(type, text);
}

Result<core::SecretBytes> date_from_binary(core::ByteView binary) {
    if (!is_date_in_range(date_value(binary))) {
        return invalid_value("22008", "date out of range");
    }
    return core::SecretBytes::copy_of(binary);
}

Result<core::SecretBytes> timestamp_from_binary(Type type, core::ByteView binary) {
    const std::int64_t micros = timestamp_value(binary);
    if (!is_timestamp_in_range(micros)) {
        return invalid_value("22008", "timestamp out of range");
    }
    return send_form_of_timestamp(round_to_precision(micros, type.typmod));
}

Result<core::SecretBytes> label_from_text(Kind kind, std::string_view text) {
    const Result<void> checked = check_label(kind, text);
    return checked.has_value()
               ? Result<core::SecretBytes>(core::SecretBytes::copy_of(core::as_bytes(text)))
               : checked.error();
}

Result<core::SecretBytes> json_from_text(std::string_view text) {
    const Result<void> checked = check_json(text);
    return checked.has_value()
               ? Result<core::SecretBytes>(core::SecretBytes::copy_of(core::as_bytes(text)))
               : checked.error();
}

Result<core::SecretBytes> jsonb_from_text(std::string_view text) {
    const Result<core::SecretBytes> normalised = normalised_json(text);
    return normalised.has_value() ? Result<core::SecretBytes>(send_form_of_jsonb(*normalised))
                                  : normalised.error();
}

Result<core::SecretBytes> json_from_binary(Kind kind, core::ByteView binary) {
    const Result<std::string_view> text =
        kind == Kind::kJson ? Result<std::string_view>(core::as_text(binary)) : jsonb_text(binary);
    if (!text.has_value()) {
        return text.error();
    }
    const Result<void> checked = check_utf8(*text);
    if (!checked.has_value()) {
        return checked.error();
    }
    return kind == Kind::kJson ? json_from_text(*text) : jsonb_from_text(*text);
}

Result<void> append_jsonb(core::ByteView binary, TextSink& sink) {
    const Result<std::string_view> text = jsonb_text(binary);
    if (!text.has_value()) {
        return invalid_value("22P03", "incorrect binary data format");
    }
    sink.append(*text);
    return {};
}

}  // namespace

Result<core::SecretBytes> from_text(Type type, std::string_view text, const TextStyle& style) {
    const Result<void> checked = check_utf8(text);
    if (!checked.has_value()) {
        return checked.error();
    }
    if (is_array(type.kind)) {
        return array_from_text(type, text, style);
    }
    if (is_enum(type.kind)) {
        return label_from_text(type.kind, text);
    }
    switch (type.kind) {
        case Kind::kBool: return bool_from_text(text);
        case Kind::kInt2:
        case Kind::kInt4:
        case Kind::kInt8: return integer_from_text(type.kind, text);
        case Kind::kText:
        case Kind::kVarchar:
        case Kind::kBpchar: return characters_of(type, text);
        case Kind::kNumeric: return numeric_with_limits(type, Numeric::from_text(text));
        case Kind::kFloat4:
        case Kind::kFloat8: return float_from_text(type.kind, text);
        case Kind::kDate:
        case Kind::kTimestamp:
        case Kind::kTimestamptz: return date_time_from_text(type, text, style);
        case Kind::kUuid: return uuid_from_text(text);
        case Kind::kTime:
        case Kind::kTimetz: return time_from_text(type, text, style);
        case Kind::kInterval: return interval_from_text(type, text, style);
        case Kind::kInet:
        case Kind::kCidr: return network_from_text(type.kind, text);
        case Kind::kJson: return json_from_text(text);
        case Kind::kJsonb: return jsonb_from_text(text);
        case Kind::kBytea: break;
    }
    return bytea_from_text(text);
}

Result<core::SecretBytes> from_binary(Type type, core::ByteView binary) {
    const Result<void> sized = check_size(type.kind, binary);
    if (!sized.has_value()) {
        return sized.error();
    }
    if (is_array(type.kind)) {
        return array_from_binary(type, binary);
    }
    if (is_enum(type.kind)) {
        const Result<void> checked = check_utf8(core::as_text(binary));
        return checked.has_value() ? label_from_text(type.kind, core::as_text(binary))
                                   : checked.error();
    }
    switch (type.kind) {
        case Kind::kBool: {
            const std::uint8_t truth = binary.front() != 0 ? 1 : 0;
            return core::SecretBytes::copy_of({&truth, 1});
        }
        case Kind::kText:
        case Kind::kVarchar:
        case Kind::kBpchar: return text_from_binary(type, binary);
        case Kind::kNumeric: return numeric_with_limits(type, Numeric::from_binary(binary));
        case Kind::kDate: return date_from_binary(binary);
        case Kind::kTimestamp:
        case Kind::kTimestamptz: return timestamp_from_binary(type, binary);
        case Kind::kTime:
        case Kind::kTimetz: return time_from_binary(type, binary);
        case Kind::kInterval: return interval_from_binary(type, binary);
        case Kind::kInet:
        case Kind::kCidr: return network_from_binary(type.kind, binary);
        case Kind::kJson:
        case Kind::kJsonb: return json_from_binary(type.kind, binary);
        case Kind::kInt2:
        case Kind::kInt4:
        case Kind::kInt8:
        case Kind::kFloat4:
        case Kind::kFloat8:
        case Kind::kUuid:
        case Kind::kBytea: break;
    }
    return core::SecretBytes::copy_of(binary);
}

Result<void> append_text(Type type, core::ByteView binary, const TextStyle& style, TextSink& sink) {
    const Result<void> sized = check_size(type.kind, binary);
    if (!sized.has_value()) {
        return invalid_value("22P03", "incorrect binary data format");
    }
    if (is_array(type.kind)) {
        return append_array(type, binary, style, sink);
    }
    if (is_enum(type.kind)) {
        sink.append(core::as_text(binary));
        return {};
    }
    switch (type.kind) {
        case Kind::kBool: append_bool(binary, sink); break;
        case Kind::kInt2:
        case Kind::kInt4:
        case Kind::kInt8: append_integer(binary, sink); break;
        case Kind::kNumeric: return append_numeric(binary, sink);
        case Kind::kFloat4:
        case Kind::kFloat8: append_float(type.kind, binary, style.extra_float_digits, sink); break;
        case Kind::kText:
        case Kind::kVarchar:
        case Kind::kBpchar:
        case Kind::kJson: sink.append(core::as_text(binary)); break;
        case Kind::kJsonb: return append_jsonb(binary, sink);
        case Kind::kTime:
        case Kind::kTimetz: return append_time(type.kind, binary, sink);
        case Kind::kInterval: append_interval(binary, style.interval_style, sink); break;
        case Kind::kInet:
        case Kind::kCidr: return append_network(type.kind, binary, sink);
        case Kind::kDate:
        case Kind::kTimestamp:
        case Kind::kTimestamptz: return append_date_time(type.kind, binary, style, sink);
        case Kind::kUuid: append_uuid(binary, sink); break;
        case Kind::kBytea: append_bytea(binary, style.bytea_output, sink); break;
    }
    return {};
}

Result<core::SecretBytes> to_text(Type type, core::ByteView binary, const TextStyle& style) {
    SecretSink sink;
    const Result<void> written = append_text(type, binary, style, sink);
    if (!written.has_value()) {
        return written.error();
    }
    return sink.take();
}

}  // namespace pgveil::types
