#include "proxy/session/bootstrap_conversation.hpp"

#include "proxy/wire/backend.hpp"
#include "proxy/wire/error_response.hpp"
#include "proxy/wire/row.hpp"

#include <array>
#include <utility>
#include <vector>

namespace pgveil::session {

namespace {

constexpr std::uint32_t kTextOid = 25;
constexpr std::uint32_t kUnknownOid = 705;
constexpr std::int16_t kVariableLength = -1;
constexpr std::string_view kOnlyTheCall =
    "only SELECT pgveil.bootstrap('step', 'argument') is understood here";
constexpr std::string_view kOnlyUnnamed =
    "only the unnamed statement and the unnamed portal are understood here";

void append_report(
    wire::Output& reply,
    std::string_view severity,
    std::string_view sqlstate,
    std::string_view message
) {
    wire::Report report;
    report.severity = severity;
    report.sqlstate = sqlstate;
    report.message = message;
    wire::append_error(reply, report);
}

void append_ready(wire::Output& reply) {
    wire::append_ready_for_query(reply, wire::TransactionStatus::kIdle);
}

void append_description(wire::Output& reply, wire::Format format) {
    wire::Field field;
    field.name = "bootstrap";
    field.type_oid = kTextOid;
    field.typlen = kVariableLength;
    field.format = static_cast<std::int16_t>(format);
    wire::append_row_description(reply, std::array{field});
}

/// The argument's text; nothing if its parameter is NULL.
std::optional<std::string> text_of(
    const BootstrapArgument& argument, const std::vector<wire::Cell>& parameters
) {
    if (const auto* const text = std::get_if<std::string>(&argument)) {
        return *text;
    }
    const wire::Cell& cell = parameters[std::get<std::uint32_t>(argument) - 1];
    return cell ? std::optional<std::string>(wire::as_text(*cell)) : std::nullopt;
}

void append_answer(wire::Output& reply, const BootstrapSteps::Answer& answer) {
    if (!answer.has_value()) {
        append_report(reply, "ERROR", answer.error().sqlstate, answer.error().message);
        return;
    }
    wire::RowWriter row(reply, 1);
    row.add(wire::as_bytes(*answer));
    row.finish();
    wire::append_command_complete(reply, "SELECT 1");
}

}  // namespace

bool BootstrapConversation::on_message(const wire::Frame& frame, wire::Output& reply) {
    const wire::FrontendType type = wire::frontend_type(frame.type);
    if (skips_to_sync_ && wire::is_skipped_after_error(type)) {
        return true;
    }
    switch (type) {
        case wire::FrontendType::kTerminate: return false;
        case wire::FrontendType::kSync: return on_sync(reply);
        case wire::FrontendType::kQuery: return on_query(frame.body, reply);
        case wire::FrontendType::kParse: return on_parse(frame.body, reply);
        case wire::FrontendType::kBind: return on_bind(frame.body, reply);
        case wire::FrontendType::kDescribe: return on_describe(frame.body, reply);
        case wire::FrontendType::kExecute: return on_execute(frame.body, reply);
        case wire::FrontendType::kClose: return on_close(frame.body, reply);
        case wire::FrontendType::kFunctionCall: return on_function_call(reply);
        case wire::FrontendType::kFlush: return true;
        case wire::FrontendType::kCopyData:
        case wire::FrontendType::kCopyDone:
        case wire::FrontendType::kCopyFail:
            return true;  // left over from a COPY that never began; the server ignores them, too
        case wire::FrontendType::kPasswordMessage:
        case wire::FrontendType::kUnknown: break;
    }
    return broken(reply);
}

bool BootstrapConversation::on_sync(wire::Output& reply) {
    skips_to_sync_ = false;
    portal_.reset();
    append_ready(reply);
    return true;
}

bool BootstrapConversation::on_function_call(wire::Output& reply) {
    append_report(reply, "ERROR", "0A000", kOnlyTheCall);
    append_ready(reply);
    return true;
}

bool BootstrapConversation::on_query(wire::ByteView body, wire::Output& reply) {
    const auto query = wire::decode_query(body);
    if (!query.has_value()) {
        return broken(reply);
    }
    statement_.reset();
    portal_.reset();
    const auto call = parse_bootstrap_call(query->text);
    if (is_empty_statement(query->text)) {
        wire::append_empty(reply, wire::BackendType::kEmptyQueryResponse);
    } else if (!call || call->parameter_count() > 0) {
        append_report(reply, "ERROR", "0A000", kOnlyTheCall);
    } else {
        const auto answer =
            steps_->call(std::get<std::string>(call->step), std::get<std::string>(call->argument));
        if (answer.has_value()) {
            append_description(reply, wire::Format::kText);
        }
        append_answer(reply, answer);
    }
    append_ready(reply);
    return true;
}

bool BootstrapConversation::on_parse(wire::ByteView body, wire::Output& reply) {
    const auto parse = wire::decode_parse(body);
    if (!parse.has_value()) {
        return broken(reply);
    }
    auto call = parse_bootstrap_call(parse->text);
    if (!parse->statement.empty() || !call) {
        return fail(reply, "0A000", parse->statement.empty() ? kOnlyTheCall : kOnlyUnnamed);
    }
    for (const std::uint32_t oid : parse->parameter_types) {
        if (oid != 0 && oid != kTextOid && oid != kUnknownOid) {
            return fail(reply, "42804", "the parameters of pgveil.bootstrap are of type text");
        }
    }
    statement_ = std::move(call);
    portal_.reset();
    wire::append_empty(reply, wire::BackendType::kParseComplete);
    return true;
}

bool BootstrapConversation::on_bind(wire::ByteView body, wire::Output& reply) {
    const auto bind = wire::decode_bind(body);
    if (!bind.has_value()) {
        return broken(reply);
    }
    if (!bind->portal.empty() || !bind->statement.empty()) {
        return fail(reply, "0A000", kOnlyUnnamed);
    }
    if (!statement_) {
        return fail(reply, "26000", "unnamed prepared statement does not exist");
    }
    const std::vector<wire::Cell> parameters(bind->parameters.begin(), bind->parameters.end());
    const std::size_t count = statement_->parameter_count();
    if (parameters.size() != count || !bind->parameter_formats.fits(count) ||
        !bind->result_formats.fits(1)) {
        return fail(reply, "08P01", "bind message does not fit the parameters of the statement");
    }
    auto step = text_of(statement_->step, parameters);
    auto argument = text_of(statement_->argument, parameters);
    if (!step || !argument) {
        return fail(reply, "22004", "the arguments of pgveil.bootstrap must not be null");
    }
    // Text and binary form of a text value are the same bytes.
    portal_ = Portal{
        *std::move(step),
        *std::move(argument),
        static_cast<wire::Format>(bind->result_formats.code_for(0))};
    wire::append_empty(reply, wire::BackendType::kBindComplete);
    return true;
}

bool BootstrapConversation::on_describe(wire::ByteView body, wire::Output& reply) {
    const auto describe = wire::decode_describe(body);
    if (!describe.has_value()) {
        return broken(reply);
    }
    if (!describe->name.empty()) {
        return fail(reply, "0A000", kOnlyUnnamed);
    }
    if (describe->target == wire::Target::kPortal) {
        if (!portal_) {
            return fail(reply, "34000", "portal \"\" does not exist");
        }
        append_description(reply, portal_->result_format);
        return true;
    }
    if (!statement_) {
        return fail(reply, "26000", "unnamed prepared statement does not exist");
    }
    const std::vector<std::uint32_t> types(statement_->parameter_count(), kTextOid);
    wire::append_parameter_description(reply, types);
    append_description(reply, wire::Format::kText);
    return true;
}

bool BootstrapConversation::on_execute(wire::ByteView body, wire::Output& reply) {
    const auto execute = wire::decode_execute(body);
    if (!execute.has_value()) {
        return broken(reply);
    }
    if (!portal_ || !execute->portal.empty()) {
        return fail(reply, "34000", "portal does not exist");
    }
    const auto answer = steps_->call(portal_->step, portal_->argument);
    portal_.reset();
    skips_to_sync_ = answer.has_error();
    append_answer(reply, answer);
    return true;
}

bool BootstrapConversation::on_close(wire::ByteView body, wire::Output& reply) {
    const auto close = wire::decode_close(body);
    if (!close.has_value()) {
        return broken(reply);
    }
    if (close->name.empty()) {
        portal_.reset();
    }
    if (close->name.empty() && close->target == wire::Target::kStatement) {
        statement_.reset();
    }
    wire::append_empty(reply, wire::BackendType::kCloseComplete);
    return true;
}

/// The server skips to Sync after an error in an extended query; so does this.
bool BootstrapConversation::fail(
    wire::Output& reply, std::string_view sqlstate, std::string_view message
) {
    skips_to_sync_ = true;
    append_report(reply, "ERROR", sqlstate, message);
    return true;
}

bool BootstrapConversation::broken(wire::Output& reply) {
    append_report(reply, "FATAL", "08P01", "malformed or unexpected message");
    return false;
}

}  // namespace pgveil::session
