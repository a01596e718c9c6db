#include "proxy/wire/error_response.hpp"

#include <string>

namespace pgveil::wire {

namespace {

void append_field(Output& out, char code, std::string_view value) {
    if (!value.empty()) {
        out.append_int8(static_cast<std::uint8_t>(code));
        out.append_cstring(value);
    }
}

void append_report(Output& out, BackendType type, const Report& report) {
    const std::size_t start = out.open_message(type);
    append_field(out, 'S', report.severity);
    append_field(out, 'V', report.severity);
    append_field(out, 'C', report.sqlstate);
    append_field(out, 'M', report.message);
    append_field(out, 'D', report.detail);
    append_field(out, 'H', report.hint);
    if (report.position > 0) {
        append_field(out, 'P', std::to_string(report.position));
    }
    append_field(out, 'W', report.where);
    append_field(out, 'R', report.routine);
    out.append_int8(0);
    out.close_message(start);
}

}  // namespace

ErrorField ErrorField::read(Cursor& cursor) noexcept {
    ErrorField field;
    field.code = static_cast<char>(cursor.int8());
    field.value = cursor.cstring();
    return field;
}

std::optional<std::string_view> ErrorResponse::find(char code) const noexcept {
    for (const ErrorField& field : fields) {
        if (field.code == code) {
            return field.value;
        }
    }
    return std::nullopt;
}

Result<ErrorResponse> decode_error_response(ByteView body) noexcept {
    Cursor ahead(body);
    std::size_t count = 0;
    while (ahead.int8() != 0 && !ahead.error()) {
        ahead.cstring();
        ++count;
    }
    Cursor cursor(body);
    ErrorResponse response;
    response.fields = List<ErrorField>::take(cursor, count);
    cursor.int8();
    return cursor.finish(response);
}

void append_error(Output& out, const Report& report) {
    append_report(out, BackendType::kErrorResponse, report);
}

void append_notice(Output& out, const Report& report) {
    append_report(out, BackendType::kNoticeResponse, report);
}

void append_error_fields(Output& out, BackendType type, std::span<const ErrorField> fields) {
    const std::size_t start = out.open_message(type);
    for (const ErrorField& field : fields) {
        out.append_int8(static_cast<std::uint8_t>(field.code));
        out.append_cstring(field.value);
    }
    out.append_int8(0);
    out.close_message(start);
}

}  // namespace pgveil::wire
