#include "proxy/wire/frontend.hpp"

namespace pgveil::wire {

namespace {

Target take_target(Cursor& cursor) noexcept {
    const auto target = static_cast<Target>(cursor.int8());
    if (target != Target::kStatement && target != Target::kPortal) {
        cursor.fail(DecodeError::kBadValue);
    }
    return target;
}

template <class Element>
List<Element> take_counted(Cursor& cursor) noexcept {
    const std::size_t count = cursor.int16();
    return List<Element>::take(cursor, count);
}

void append_target(Output& out, FrontendType type, Target target, std::string_view name) {
    const std::size_t start = out.open_message(type);
    out.append_int8(static_cast<std::uint8_t>(target));
    out.append_cstring(name);
    out.close_message(start);
}

template <class Formats>
std::size_t open_bind(
    Output& out, const BindNames& names, const Formats& formats, std::uint16_t count
) {
    const std::size_t start = out.open_message(FrontendType::kBind);
    out.append_cstring(names.portal);
    out.append_cstring(names.statement);
    append_format_codes(out, formats);
    out.append_int16(count);
    return start;
}

}  // namespace

Result<Query> decode_query(ByteView body) noexcept {
    Cursor cursor(body);
    Query query;
    query.text = cursor.cstring();
    return cursor.finish(query);
}

Result<Parse> decode_parse(ByteView body) noexcept {
    Cursor cursor(body);
    Parse parse;
    parse.statement = cursor.cstring();
    parse.text = cursor.cstring();
    parse.parameter_types = take_counted<std::uint32_t>(cursor);
    return cursor.finish(parse);
}

Result<Bind> decode_bind(ByteView body) noexcept {
    Cursor cursor(body);
    Bind bind;
    bind.portal = cursor.cstring();
    bind.statement = cursor.cstring();
    bind.parameter_formats = FormatCodes::take(cursor);
    bind.parameters = take_counted<Cell>(cursor);
    bind.result_formats = FormatCodes::take(cursor);
    return cursor.finish(bind);
}

Result<Bind> decode_bind_head(ByteView body) noexcept {
    Cursor cursor(body);
    Bind head;
    head.portal = cursor.cstring();
    head.statement = cursor.cstring();
    if (cursor.error()) {
        return *cursor.error();
    }
    return head;
}

Result<Describe> decode_describe(ByteView body) noexcept {
    Cursor cursor(body);
    Describe describe;
    describe.target = take_target(cursor);
    describe.name = cursor.cstring();
    return cursor.finish(describe);
}

Result<Close> decode_close(ByteView body) noexcept {
    Cursor cursor(body);
    Close close;
    close.target = take_target(cursor);
    close.name = cursor.cstring();
    return cursor.finish(close);
}

Result<Execute> decode_execute(ByteView body) noexcept {
    Cursor cursor(body);
    Execute execute;
    execute.portal = cursor.cstring();
    execute.row_limit = cursor.int32();
    return cursor.finish(execute);
}

Result<FunctionCall> decode_function_call(ByteView body) noexcept {
    Cursor cursor(body);
    FunctionCall call;
    call.function_oid = cursor.int32();
    call.argument_formats = FormatCodes::take(cursor);
    call.arguments = take_counted<Cell>(cursor);
    call.result_format = static_cast<std::int16_t>(cursor.int16());
    return cursor.finish(call);
}

Result<CopyFail> decode_copy_fail(ByteView body) noexcept {
    Cursor cursor(body);
    CopyFail fail;
    fail.reason = cursor.cstring();
    return cursor.finish(fail);
}

void append_query(Output& out, std::string_view text) {
    const std::size_t start = out.open_message(FrontendType::kQuery);
    out.append_cstring(text);
    out.close_message(start);
}

void append_parse(
    Output& out,
    std::string_view statement,
    std::string_view text,
    std::span<const std::uint32_t> parameter_types
) {
    const std::size_t start = out.open_message(FrontendType::kParse);
    out.append_cstring(statement);
    out.append_cstring(text);
    out.append_int16(static_cast<std::uint16_t>(parameter_types.size()));
    for (const std::uint32_t oid : parameter_types) {
        out.append_int32(oid);
    }
    out.close_message(start);
}

void append_describe(Output& out, Target target, std::string_view name) {
    append_target(out, FrontendType::kDescribe, target, name);
}

void append_close(Output& out, Target target, std::string_view name) {
    append_target(out, FrontendType::kClose, target, name);
}

void append_execute(Output& out, std::string_view portal, std::uint32_t row_limit) {
    const std::size_t start = out.open_message(FrontendType::kExecute);
    out.append_cstring(portal);
    out.append_int32(row_limit);
    out.close_message(start);
}

void append_copy_fail(Output& out, std::string_view reason) {
    const std::size_t start = out.open_message(FrontendType::kCopyFail);
    out.append_cstring(reason);
    out.close_message(start);
}

void append_empty(Output& out, FrontendType type) {
    out.close_message(out.open_message(type));
}

BindWriter::BindWriter(
    Output& out, const BindNames& names, std::span<const Format> formats, std::uint16_t count
)
    : out_(&out), start_(open_bind(out, names, formats, count)) {}

BindWriter::BindWriter(
    Output& out, const BindNames& names, const FormatCodes& formats, std::uint16_t count
)
    : out_(&out), start_(open_bind(out, names, formats, count)) {}

std::span<std::uint8_t> BindWriter::add_in_place(std::uint32_t size) {
    out_->append_int32(size);
    return out_->append_space(size);
}

void BindWriter::finish(std::span<const Format> result_formats) {
    append_format_codes(*out_, result_formats);
    out_->close_message(start_);
}

void BindWriter::finish(const FormatCodes& result_formats) {
    append_format_codes(*out_, result_formats);
    out_->close_message(start_);
}

}  // namespace pgveil::wire
