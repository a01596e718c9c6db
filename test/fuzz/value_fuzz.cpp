#include "keyshare/core/bytes.hpp"
#include "sql/types/codec.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace pgveil;

constexpr std::array<std::string_view, 31> kTypes = {"bool",         "int2",
                                                     "int4",         "int8",
                                                     "text",         "varchar(9)",
                                                     "date",         "timestamp",
                                                     "timestamp(3)", "timestamptz",
                                                     "uuid",         "bytea",
                                                     "numeric",      "numeric(10,2)",
                                                     "float4",       "float8",
                                                     "char(5)",      "bpchar",
                                                     "time",         "timetz(2)",
                                                     "interval",     "interval day to minute",
                                                     "inet",         "cidr",
                                                     "json",         "jsonb",
                                                     "int4[]",       "text[]",
                                                     "varchar(3)[]", "jsonb[]",
                                                     "interval[]"};

bool equal(const core::SecretBytes& left, const core::SecretBytes& right) {
    return std::ranges::equal(left.reveal(), right.reveal());
}

/// What is read from text, written as text and read again is the same value.
void check_text(types::Type type, std::string_view text) {
    const types::TextStyle style;
    const auto value = types::from_text(type, text, style);
    if (!value.has_value()) {
        return;
    }
    const auto received = types::from_binary(type, value->reveal());
    if (!received.has_value() || !equal(*received, *value)) {
        std::abort();
    }
    const auto written = types::to_text(type, value->reveal(), style);
    if (!written.has_value()) {
        // Without the session's TimeZone a timestamptz has no text.
        if (type.kind != types::Kind::kTimestamptz) {
            std::abort();
        }
        return;
    }
    const auto again = types::from_text(type, core::as_text(written->reveal()), style);
    if (!again.has_value() || !equal(*again, *value)) {
        std::abort();
    }
}

/// What is accepted as a binary value is in send form afterwards.
void check_binary(types::Type type, core::ByteView binary) {
    const auto value = types::from_binary(type, binary);
    if (!value.has_value()) {
        return;
    }
    const auto again = types::from_binary(type, value->reveal());
    if (!again.has_value() || !equal(*again, *value)) {
        std::abort();
    }
    if (type.kind != types::Kind::kTimestamptz &&
        !types::to_text(type, value->reveal(), types::TextStyle()).has_value()) {
        std::abort();
    }
}

}  // namespace

// The first byte picks the type and the format, the rest is the value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const core::ByteView value = core::ByteView(bytes, size).subspan(1);
    const auto type = types::parse_type_name(kTypes.at(bytes[0] / 2 % kTypes.size()));
    if (bytes[0] % 2 == 0) {
        check_text(*type, core::as_text(value));
    } else {
        check_binary(*type, value);
    }
    return 0;
}
