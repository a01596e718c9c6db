#include "proxy/admin/console_conversation.hpp"

#include "proxy/admin/console_show.hpp"
#include "proxy/wire/backend.hpp"
#include "proxy/wire/error_response.hpp"
#include "proxy/wire/row.hpp"

#include <array>
#include <utility>

namespace pgveil::admin {

namespace {

constexpr std::uint32_t kTextOid = 25;
constexpr std::uint32_t kInt8Oid = 20;
constexpr std::int16_t kInt8Length = 8;
constexpr std::size_t kNamesMax = 100;

void append_report(wire::Output& reply, std::string_view severity, const CommandError& error) {
    wire::Report report;
    report.severity = severity;
    report.sqlstate = error.sqlstate;
    report.message = error.message;
    report.hint = error.hint;
    wire::append_error(reply, report);
}

void append_ready(wire::Output& reply) {
    wire::append_ready_for_query(reply, wire::TransactionStatus::kIdle);
}

void append_notices(wire::Output& reply, const std::vector<std::string>& notices) {
    for (const std::string& text : notices) {
        wire::Report notice;
        notice.severity = "NOTICE";
        notice.sqlstate = "00000";
        notice.message = text;
        wire::append_notice(reply, notice);
    }
}

std::span<const Column> columns_of_answer(const Command& command) {
    if (const auto* const show = std::get_if<Show>(&command)) {
        return columns_of(show->topic);
    }
    return std::holds_alternative<Explain>(command) ? explain_columns() : std::span<const Column>();
}

void append_description(
    wire::Output& reply, std::span<const Column> columns, const std::vector<wire::Format>& formats
) {
    if (columns.empty()) {
        return wire::append_empty(reply, wire::BackendType::kNoData);
    }
    std::vector<wire::Field> fields;
    for (std::size_t at = 0; at < columns.size(); ++at) {
        wire::Field field;
        field.name = columns[at].name;
        const bool is_number = columns[at].type == CellType::kNumber;
        field.type_oid = is_number ? kInt8Oid : kTextOid;
        field.typlen = is_number ? kInt8Length : static_cast<std::int16_t>(-1);
        field.format = static_cast<std::int16_t>(formats[at]);
        fields.push_back(field);
    }
    wire::append_row_description(reply, fields);
}

std::array<std::uint8_t, kInt8Length> big_endian(std::int64_t value) {
    constexpr unsigned kByteBits = 8;
    std::array<std::uint8_t, kInt8Length> bytes{};
    auto left = static_cast<std::uint64_t>(value);
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
        *byte = static_cast<std::uint8_t>(left);
        left >>= kByteBits;
    }
    return bytes;
}

void append_row(wire::Output& reply, const Row& cells, const std::vector<wire::Format>& formats) {
    wire::RowWriter row(reply, static_cast<std::uint16_t>(cells.size()));
    for (std::size_t at = 0; at < cells.size(); ++at) {
        if (const auto* const text = std::get_if<std::string>(&cells[at])) {
            row.add(wire::as_bytes(*text));
        } else if (const auto* const value = std::get_if<std::int64_t>(&cells[at])) {
            const std::string digits = std::to_string(*value);
            const auto bytes = big_endian(*value);
            row.add(
                formats[at] == wire::Format::kBinary ? wire::ByteView(bytes)
                                                     : wire::as_bytes(digits)
            );
        } else {
            row.add(std::nullopt);
        }
    }
    row.finish();
}

std::vector<wire::Format> all_text(const Command& command) {
    return std::vector<wire::Format>(columns_of_answer(command).size(), wire::Format::kText);
}

bool is_nothing(const Command& command) {
    return std::holds_alternative<NoCommand>(command);
}

}  // namespace

Answer failed(CommandError error) {
    Answer answer;
    answer.error = std::move(error);
    return answer;
}

Conversation::Next Conversation::on_message(const wire::Frame& frame, wire::Output& reply) {
    const wire::FrontendType type = wire::frontend_type(frame.type);
    if (skips_to_sync_ && wire::is_skipped_after_error(type)) {
        return Next::kGoOn;
    }
    switch (type) {
        case wire::FrontendType::kTerminate: return Next::kEnd;
        case wire::FrontendType::kSync: return on_sync(reply);
        case wire::FrontendType::kQuery: return on_query(frame.body, reply);
        case wire::FrontendType::kParse: return on_parse(frame.body, reply);
        case wire::FrontendType::kBind: return on_bind(frame.body, reply);
        case wire::FrontendType::kDescribe: return on_describe(frame.body, reply);
        case wire::FrontendType::kExecute: return on_execute(frame.body, reply);
        case wire::FrontendType::kClose: return on_close(frame.body, reply);
        case wire::FrontendType::kFunctionCall: return on_function_call(reply);
        case wire::FrontendType::kFlush:
        case wire::FrontendType::kCopyData:
        case wire::FrontendType::kCopyDone:
        case wire::FrontendType::kCopyFail: return Next::kGoOn;
        case wire::FrontendType::kPasswordMessage:
        case wire::FrontendType::kUnknown: break;
    }
    append_report(reply, "FATAL", {"08P01", "malformed or unexpected message"});
    return Next::kEnd;
}

Conversation::Next Conversation::on_sync(wire::Output& reply) {
    skips_to_sync_ = false;
    portals_.clear();
    append_ready(reply);
    return Next::kGoOn;
}

Conversation::Next Conversation::on_function_call(wire::Output& reply) {
    append_report(reply, "ERROR", {"0A000", "the admin console has no functions"});
    append_ready(reply);
    return Next::kGoOn;
}

Conversation::Next Conversation::on_query(wire::ByteView body, wire::Output& reply) {
    const auto query = wire::decode_query(body);
    if (!query.has_value()) {
        append_report(reply, "FATAL", {"08P01", "malformed Query message"});
        return Next::kEnd;
    }
    portals_.clear();
    statements_.erase("");
    auto command = parse_command(query->text);
    if (command.has_value() && !is_nothing(*command)) {
        command_ = *std::move(command);
        formats_ = all_text(command_);
        is_simple_ = true;
        return Next::kRun;
    }
    if (command.has_value()) {
        wire::append_empty(reply, wire::BackendType::kEmptyQueryResponse);
    } else {
        append_report(reply, "ERROR", command.error());
    }
    append_ready(reply);
    return Next::kGoOn;
}

Conversation::Next Conversation::on_parse(wire::ByteView body, wire::Output& reply) {
    const auto parse = wire::decode_parse(body);
    if (!parse.has_value()) {
        return fail(reply, {"08P01", "malformed Parse message"});
    }
    auto command = parse_command(parse->text);
    if (!command.has_value()) {
        return fail(reply, command.error());
    }
    const std::string name(parse->statement);
    if (!name.empty() && statements_.contains(name)) {
        return fail(reply, {"42P05", "prepared statement already exists"});
    }
    if (!name.empty() && statements_.size() >= kNamesMax) {
        return fail(reply, {"54000", "too many prepared statements of the admin console"});
    }
    statements_[name] = *std::move(command);
    wire::append_empty(reply, wire::BackendType::kParseComplete);
    return Next::kGoOn;
}

Conversation::Next Conversation::on_bind(wire::ByteView body, wire::Output& reply) {
    const auto bind = wire::decode_bind(body);
    if (!bind.has_value()) {
        return fail(reply, {"08P01", "malformed Bind message"});
    }
    const auto statement = statements_.find(bind->statement);
    if (statement == statements_.end()) {
        return fail(reply, {"26000", "prepared statement does not exist"});
    }
    const std::size_t columns = columns_of_answer(statement->second).size();
    if (bind->parameters.begin() != bind->parameters.end() || !bind->result_formats.fits(columns)) {
        return fail(
            reply, {"08P01", "commands of the admin console take no parameters: write the values"}
        );
    }
    if (portals_.size() >= kNamesMax) {
        return fail(reply, {"54000", "too many portals of the admin console"});
    }
    Portal portal;
    portal.command = statement->second;
    for (std::size_t at = 0; at < columns; ++at) {
        portal.formats.push_back(static_cast<wire::Format>(bind->result_formats.code_for(at)));
    }
    portals_[std::string(bind->portal)] = std::move(portal);
    wire::append_empty(reply, wire::BackendType::kBindComplete);
    return Next::kGoOn;
}

Conversation::Next Conversation::on_describe(wire::ByteView body, wire::Output& reply) {
    const auto describe = wire::decode_describe(body);
    if (!describe.has_value()) {
        return fail(reply, {"08P01", "malformed Describe message"});
    }
    if (describe->target == wire::Target::kPortal) {
        const auto portal = portals_.find(describe->name);
        if (portal == portals_.end()) {
            return fail(reply, {"34000", "portal does not exist"});
        }
        append_description(
            reply, columns_of_answer(portal->second.command), portal->second.formats
        );
        return Next::kGoOn;
    }
    const auto statement = statements_.find(describe->name);
    if (statement == statements_.end()) {
        return fail(reply, {"26000", "prepared statement does not exist"});
    }
    wire::append_parameter_description(reply, {});
    append_description(reply, columns_of_answer(statement->second), all_text(statement->second));
    return Next::kGoOn;
}

Conversation::Next Conversation::on_execute(wire::ByteView body, wire::Output& reply) {
    const auto execute = wire::decode_execute(body);
    if (!execute.has_value()) {
        return fail(reply, {"08P01", "malformed Execute message"});
    }
    const auto portal = portals_.find(execute->portal);
    if (portal == portals_.end()) {
        return fail(reply, {"34000", "portal does not exist"});
    }
    if (execute->row_limit != 0) {
        return fail(
            reply, {"0A000", "the admin console sends all rows: set no fetch size and no maximum"}
        );
    }
    if (is_nothing(portal->second.command)) {
        wire::append_empty(reply, wire::BackendType::kEmptyQueryResponse);
        return Next::kGoOn;
    }
    command_ = portal->second.command;
    formats_ = portal->second.formats;
    is_simple_ = false;
    return Next::kRun;
}

Conversation::Next Conversation::on_close(wire::ByteView body, wire::Output& reply) {
    const auto close = wire::decode_close(body);
    if (!close.has_value()) {
        return fail(reply, {"08P01", "malformed Close message"});
    }
    if (close->target == wire::Target::kStatement) {
        statements_.erase(std::string(close->name));
    } else {
        portals_.erase(std::string(close->name));
    }
    wire::append_empty(reply, wire::BackendType::kCloseComplete);
    return Next::kGoOn;
}

/// The server skips to Sync after an error in an extended query; so does this.
Conversation::Next Conversation::fail(wire::Output& reply, const CommandError& error) {
    skips_to_sync_ = true;
    append_report(reply, "ERROR", error);
    return Next::kGoOn;
}

void Conversation::on_answer(const Answer& answer, wire::Output& reply) {
    append_notices(reply, answer.notices);
    if (answer.error) {
        append_report(reply, "ERROR", *answer.error);
        skips_to_sync_ = !is_simple_;
    } else {
        if (is_simple_ && answer.table) {
            append_description(reply, answer.table->columns, formats_);
        }
        for (const Row& row : answer.table ? answer.table->rows : std::vector<Row>()) {
            append_row(reply, row, formats_);
        }
        wire::append_command_complete(reply, tag_of(command_));
    }
    if (is_simple_) {
        append_ready(reply);
    }
}

}  // namespace pgveil::admin
