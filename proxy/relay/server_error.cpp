#include "proxy/relay/server_error.hpp"

#include "proxy/relay/copied_rows.hpp"
#include "proxy/relay/quoted_values.hpp"
#include "proxy/wire/error_response.hpp"
#include "sql/analysis/copy_plan.hpp"
#include "sql/schema/schema.hpp"

#include <algorithm>
#include <charconv>
#include <deque>
#include <string>
#include <vector>

namespace pgveil::relay {

namespace {

constexpr std::string_view kFailedTransaction = "25P02";
constexpr std::string_view kQueryCanceled = "57014";
constexpr std::string_view kProtocolViolation = "08P01";
constexpr std::string_view kInsufficientPrivilege = "42501";

std::string mapped_position(std::string_view value, const rewrite::PositionMap& positions) {
    std::uint32_t position = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), position);
    return read.ec == std::errc() ? std::to_string(positions.to_user(position))
                                  : std::string(value);
}

/// By the severity that is not translated (field V).
bool is_fatal(const wire::ErrorResponse& error) {
    const std::string_view severity = error.find('V').value_or(error.find('S').value_or(""));
    return severity == "FATAL" || severity == "PANIC";
}

/// The error is the server's answer to what was sent in place of a refused statement or message.
bool answers_refusal(const Expected& expected, const wire::ErrorResponse& error) {
    if (is_fatal(error)) {
        return false;
    }
    const std::string_view code = error.find('C').value_or("");
    if (!expected.copy_marker.empty()) {
        const std::string_view message = error.find('M').value_or("");
        return message.find(expected.copy_marker) != std::string_view::npos;
    }
    if (expected.kind == Awaited::kQuery && expected.current < expected.portals.size()) {
        return false;  // of a statement before it in the same text
    }
    return code != kFailedTransaction || expected.refusal->outranks_failed_transaction;
}

bool may_quote_values(char code) {
    return code == 'M' || code == 'D';
}

/// The server's answer to a cancel that the proxy sent because of its own time limit.
bool answers_time_limit(const SessionState& state, const wire::ErrorResponse& error) {
    return state.statement_timed_out && error.find('C').value_or("") == kQueryCanceled;
}

/// The server has another number of columns than the Bind in place of a Query says.
bool is_miscounted(const Expected& expected, const wire::ErrorResponse& error) {
    return expected.batch && expected.batch->is_binding() && !is_fatal(error) &&
           error.find('C').value_or("") == kProtocolViolation;
}

void append_timed_out(Outgoing& client) {
    Refusal timed_out;
    timed_out.sqlstate = kQueryCanceled;
    timed_out.message = "canceling statement due to statement timeout";
    append(client.made(), timed_out);
}

/// CONTEXT counts the rows of a COPY that the proxy turned into binary.
std::string in_lines(std::string_view context, const Expected& expected) {
    const Portal* const portal = expected.portal();
    const bool is_copied = expected.copied_rows != nullptr && portal != nullptr &&
                           portal->planned.plan() != nullptr &&
                           portal->planned.plan()->copy != nullptr;
    return is_copied
               ? expected.copied_rows->in_lines(context, portal->planned.plan()->copy->relation)
               : std::string(context);
}

/// The field as the client may see it.
core::SecretBytes shown_value(
    const wire::ErrorField& field, const Expected& expected, QuotedValues& quoted
) {
    if (field.code == 'W') {
        return quoted.shown(in_lines(field.value, expected));
    }
    if (may_quote_values(field.code)) {
        return quoted.shown(field.value);
    }
    const bool is_mapped = field.code == 'P' && expected.positions != nullptr;
    const std::string mapped =
        is_mapped ? mapped_position(field.value, *expected.positions) : std::string();
    return core::SecretBytes::copy_of(core::as_bytes(is_mapped ? mapped : field.value));
}

}  // namespace

void append_server_error(
    SessionState& state, const wire::Frame& frame, const Expected& expected, Outgoing& client
) {
    const auto error = wire::decode_error_response(frame.body);
    if (!error.has_value()) {
        client.pass(frame.bytes);
        return;
    }
    if (expected.refusal && answers_refusal(expected, *error)) {
        append(client.made(), *expected.refusal);
        return;
    }
    if (is_miscounted(expected, *error)) {
        return append(client.made(), refusal(Reason::kRowMismatch, "the number of columns"));
    }
    if (answers_time_limit(state, *error)) {
        return append_timed_out(client);
    }
    QuotedValues quoted(state, expected.segment.get(), *error);
    std::deque<core::SecretBytes> values;
    std::vector<wire::ErrorField> fields;
    for (const wire::ErrorField& field : error->fields) {
        values.push_back(shown_value(field, expected, quoted));
        fields.push_back({field.code, core::as_text(values.back().reveal())});
    }
    wire::append_error_fields(client.made(), wire::BackendType::kErrorResponse, fields);
}

bool ends_session(const wire::Frame& frame) {
    const auto error = wire::decode_error_response(frame.body);
    return error.has_value() && is_fatal(*error);
}

Refusal refusal_of(const wire::Frame& frame, Injection::Purpose purpose) {
    Refusal refusal;
    refusal.outranks_failed_transaction = true;
    const auto error = wire::decode_error_response(frame.body);
    if (!error.has_value()) {
        refusal.sqlstate = "XX000";
        refusal.message = "the server answered a look-up with an error that cannot be read";
        return refusal;
    }
    refusal.sqlstate = error->find('C').value_or("XX000");
    refusal.message = error->find('M').value_or("");
    if (purpose == Injection::Purpose::kCiphertextType &&
        refusal.sqlstate == kInsufficientPrivilege) {
        refusal.message = "schema pgveil does not exist in this database and " + refusal.message;
        refusal.hint = "Have the owner of the database run: " + schema::setup_lines_for_owner();
    }
    return refusal;
}

}  // namespace pgveil::relay
