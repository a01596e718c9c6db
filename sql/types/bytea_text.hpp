#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "sql/types/codec.hpp"

#include <string_view>

namespace pgveil::types {

/// Both input forms of byteain: \x and hexadecimal digits, or text with \\ and \ooo.
Result<core::SecretBytes> bytea_from_text(std::string_view text);

void append_bytea(core::ByteView binary, ByteaOutput output, TextSink& sink);

}  // namespace pgveil::types
