#pragma once

#include "config/error.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace pgveil::config {

using Json = nlohmann::json;

/// Parses JSON with comments and checks it against a draft-07 schema (given as its text, which must
/// be valid). Errors are one line: file, JSON pointer or line, what is wrong, what to do. A key
/// that stands twice in one object is an error.
Result<Json> parse_document(std::string_view file, std::string_view text, std::string_view schema);

/// "FILE: POINTER: PROBLEM".
Error error_at(std::string_view file, std::string_view pointer, std::string_view problem);

/// A JSON pointer one step further, with ~ and / escaped (RFC 6901).
std::string pointer_to(std::string_view pointer, std::string_view key);

}  // namespace pgveil::config
