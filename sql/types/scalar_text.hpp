#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "sql/types/codec.hpp"

#include <string_view>

// Text input of bool, the integers and uuid, by the rules of boolin, int2in, int4in, int8in,
// uuid_in.
namespace pgveil::types {

Result<core::SecretBytes> bool_from_text(std::string_view text);
Result<core::SecretBytes> integer_from_text(Kind kind, std::string_view text);
/// As a server of this version reads it: 0x1F, 0o7, 0b1 and 1_000 are numbers from 16 on.
Result<core::SecretBytes> integer_from_text_at(int server_major, Kind kind, std::string_view text);
Result<core::SecretBytes> uuid_from_text(std::string_view text);

/// Output; `binary` has the size of the type.
void append_bool(core::ByteView binary, TextSink& sink);
void append_integer(core::ByteView binary, TextSink& sink);
void append_uuid(core::ByteView binary, TextSink& sink);

/// `value` as the send form of an integer kind; 22003 with PostgreSQL's cast text
/// ("integer out of range") if it does not fit.
Result<core::SecretBytes> integer_send_form(Kind kind, std::int64_t value);

/// The value of an integer's send form of 2, 4 or 8 bytes.
std::int64_t read_integer(core::ByteView binary);

}  // namespace pgveil::types
