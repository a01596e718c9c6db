#pragma once

#include "proxy/wire/output.hpp"
#include "proxy/wire/values.hpp"

#include <cstdint>
#include <string_view>

/// Messages from client to server: PostgreSQL, "Frontend/Backend Protocol", "Message Formats".
/// decode_x takes a message *body* (Frame::body), is strict (left-over bytes are an error) and
/// never throws; views live as long as the body. append_x writes a whole message with its head.
namespace pgveil::wire {

struct Query {
    std::string_view text;
};

struct Parse {
    std::string_view statement;  ///< empty: the unnamed statement
    std::string_view text;
    Oids parameter_types;  ///< may be fewer than the statement has; 0 = let the server infer
};

struct Bind {
    std::string_view portal;
    std::string_view statement;
    FormatCodes parameter_formats;
    Cells parameters;
    FormatCodes result_formats;
};

/// Target of Describe and Close.
enum class Target : std::uint8_t { kStatement = 'S', kPortal = 'P' };

struct Describe {
    Target target = Target::kStatement;
    std::string_view name;
};

struct Close {
    Target target = Target::kStatement;
    std::string_view name;
};

struct Execute {
    std::string_view portal;
    std::uint32_t row_limit = 0;  ///< as sent: 0 = no limit; the server reads it as signed
};

/// The whole call is checked; the result format is the last field.
struct FunctionCall {
    std::uint32_t function_oid = 0;
    FormatCodes argument_formats;
    Cells arguments;
    std::int16_t result_format = 0;
};

struct CopyFail {
    std::string_view reason;
};

Result<Query> decode_query(ByteView body) noexcept;
Result<Parse> decode_parse(ByteView body) noexcept;
Result<Bind> decode_bind(ByteView body) noexcept;

/// Of a Bind whose end need not be here: portal and statement, and nothing else.
Result<Bind> decode_bind_head(ByteView body) noexcept;
Result<Describe> decode_describe(ByteView body) noexcept;
Result<Close> decode_close(ByteView body) noexcept;
Result<Execute> decode_execute(ByteView body) noexcept;
Result<FunctionCall> decode_function_call(ByteView body) noexcept;
Result<CopyFail> decode_copy_fail(ByteView body) noexcept;

void append_query(Output& out, std::string_view text);
void append_parse(
    Output& out,
    std::string_view statement,
    std::string_view text,
    std::span<const std::uint32_t> parameter_types
);
void append_describe(Output& out, Target target, std::string_view name);
void append_close(Output& out, Target target, std::string_view name);
void append_execute(Output& out, std::string_view portal, std::uint32_t row_limit);
void append_copy_fail(Output& out, std::string_view reason);

/// A message without a body: Sync, Flush, Terminate, CopyDone.
void append_empty(Output& out, FrontendType type);

/// Writes a Bind whose parameters are appended one by one, so that sealed bytes need no list first:
///     BindWriter bind(out, {portal, statement}, formats, count);
///     bind.add(cell) ... exactly `count` times;
///     bind.finish(result_formats);
struct BindNames {
    std::string_view portal;
    std::string_view statement;
};

class BindWriter {
public:
    BindWriter(
        Output& out, const BindNames& names, std::span<const Format> formats, std::uint16_t count
    );
    BindWriter(
        Output& out, const BindNames& names, const FormatCodes& formats, std::uint16_t count
    );

    void add(const Cell& cell) { append_cell(*out_, cell); }

    /// For a value that is produced in place: add_in_place(n) returns n bytes to fill.
    std::span<std::uint8_t> add_in_place(std::uint32_t size);

    void finish(std::span<const Format> result_formats);
    void finish(const FormatCodes& result_formats);

private:
    Output* out_;
    std::size_t start_;
};

}  // namespace pgveil::wire
