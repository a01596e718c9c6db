#pragma once

#include "proxy/wire/list.hpp"
#include "proxy/wire/output.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

/// ErrorResponse and NoticeResponse: lists of (code, text) fields. Codes (PostgreSQL, "Error and
/// Notice Message Fields"): S severity (localised), V severity, C SQLSTATE, M message, D detail,
/// H hint, P position (characters, from 1), p q internal position and query, W where, s schema,
/// t table, c column, d data type, n constraint, F file, L line, R routine.
namespace pgveil::wire {

struct ErrorField {
    char code = 0;
    std::string_view value;

    static ErrorField read(Cursor& cursor) noexcept;
};

struct ErrorResponse {
    List<ErrorField> fields;

    std::optional<std::string_view> find(char code) const noexcept;  ///< the first of that code
};

/// Also decodes NoticeResponse.
Result<ErrorResponse> decode_error_response(ByteView body) noexcept;

/// An error or notice of our own. Empty fields are left out; position 0 is left out.
struct Report {
    std::string_view severity =
        "ERROR";  ///< ERROR, FATAL, PANIC; WARNING, NOTICE, DEBUG, INFO, LOG
    std::string_view sqlstate;
    std::string_view message;
    std::string_view detail;
    std::string_view hint;
    std::uint32_t position = 0;  ///< characters, from 1
    std::string_view where = {};
    std::string_view routine = {};
};

void append_error(Output& out, const Report& report);
void append_notice(Output& out, const Report& report);

/// Writes exactly these fields, for an answer of the server of which some field was changed.
/// @param type kErrorResponse or kNoticeResponse
void append_error_fields(Output& out, BackendType type, std::span<const ErrorField> fields);

}  // namespace pgveil::wire
