#include "sql/types/exact_text.hpp"

#include "sql/types/convert.hpp"
#include "sql/types/number_casts.hpp"
#include "sql/types/scalar_text.hpp"
#include "sql/types/text.hpp"

#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>

namespace pgveil::types {

namespace {

constexpr std::string_view kJsonbVersion = "\x01";

/// Digits that fit into 64 bits whatever they are.
constexpr std::size_t kSafeDigits = 18;

/// An integer as most are written: a sign, digits, and nothing else.
std::optional<std::int64_t> plain_integer(std::string_view text) {
    const std::size_t digits = text.size() - (text.starts_with('-') ? 1U : 0U);
    std::int64_t value = 0;
    const char* const end = std::to_address(text.end());
    const auto parsed = std::from_chars(std::to_address(text.begin()), end, value);
    const bool is_plain = digits <= kSafeDigits && parsed.ec == std::errc() && parsed.ptr == end;
    return is_plain ? std::optional(value) : std::nullopt;
}

bool fits(std::int64_t value, std::size_t size) {
    const std::int64_t half = std::int64_t{1} << (size * 8 - 1);
    return size == sizeof(value) || (value >= -half && value < half);
}

Result<void> append_integer_form(
    Kind kind, std::string_view text, int server_major, TextSink& sink
) {
    const auto size = static_cast<std::size_t>(typlen_of(kind));
    if (const auto value = plain_integer(text); value && fits(*value, size)) {
        const auto bytes = core::big_endian64(static_cast<std::uint64_t>(*value));
        sink.append(core::as_text(core::ByteView(bytes).last(size)));
        return {};
    }
    if (const auto checked = check_utf8(text); !checked.has_value()) {
        return checked.error();
    }
    const auto read = integer_from_text_at(server_major, kind, text);
    if (!read.has_value()) {
        return read.error();
    }
    sink.append(core::as_text(read->reveal()));
    return {};
}

Result<void> append_characters(std::string_view prefix, std::string_view text, TextSink& sink) {
    const auto checked = check_utf8(text);
    if (checked.has_value()) {
        sink.append(prefix);
        sink.append(text);
    }
    return checked;
}

}  // namespace

bool has_exact_text(Kind kind) {
    if (is_array(kind) || is_enum(kind)) {
        return false;
    }
    switch (kind) {
        case Kind::kBool:
        case Kind::kInt2:
        case Kind::kInt4:
        case Kind::kInt8:
        case Kind::kText:
        case Kind::kVarchar:
        case Kind::kBpchar:
        case Kind::kUuid:
        case Kind::kBytea:
        case Kind::kJson:
        case Kind::kJsonb: return true;
        case Kind::kDate:
        case Kind::kTimestamp:
        case Kind::kTimestamptz:
        case Kind::kTime:
        case Kind::kTimetz:
        case Kind::kInterval:
        case Kind::kNumeric:
        case Kind::kFloat4:
        case Kind::kFloat8:
        case Kind::kInet:
        case Kind::kCidr: break;
    }
    return false;
}

Result<void> append_send_form(Type type, std::string_view text, int server_major, TextSink& sink) {
    const Kind kind = type.kind;
    if (is_integer(kind)) {
        return append_integer_form(kind, text, server_major, sink);
    }
    // Lengths are the server's: it pads, cuts and objects, by what the column is by then.
    if (is_characters(kind) || kind == Kind::kJson || kind == Kind::kJsonb) {
        return append_characters(kind == Kind::kJsonb ? kJsonbVersion : "", text, sink);
    }
    const auto read = from_text(type, text, TextStyle());
    if (!read.has_value()) {
        return read.error();
    }
    sink.append(core::as_text(read->reveal()));
    return {};
}

}  // namespace pgveil::types
