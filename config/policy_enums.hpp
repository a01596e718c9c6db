#pragma once

#include "config/json_document.hpp"
#include "sql/types/type.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pgveil::config {

/// The enums under "enums", each with its labels, in the order of their names.
Result<std::vector<types::Kind>> read_enums(std::string_view file, const Json& document);

/// The "type" of the column entry at `pointer`: one of PostgreSQL's own, or one of `enums` with or
/// without its schema; or an array of it.
Result<types::Type> read_type(
    std::string_view file,
    const std::string& pointer,
    const Json& entry,
    const std::vector<types::Kind>& enums
);

}  // namespace pgveil::config
