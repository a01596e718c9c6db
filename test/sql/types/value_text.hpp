#pragma once

#include "sql/types/codec.hpp"

#include <string>

namespace pgveil::types {

/// Lower-case hex of the send form, or "SQLSTATE message".
inline std::string hex_or_error(const Result<core::SecretBytes>& value) {
    return value.has_value() ? core::to_hex(value->reveal())
                             : value.error().sqlstate + " " + value.error().message;
}

/// The send form of `text`, in hex or as an error.
inline std::string sent(Type type, std::string_view text, const TextStyle& style = {}) {
    return hex_or_error(from_text(type, text, style));
}

inline bool is_refused(const Result<core::SecretBytes>& value) {
    return !value.has_value() && value.error().kind == ErrorKind::kUnsupportedForm &&
           value.error().sqlstate == "0A000";
}

}  // namespace pgveil::types
