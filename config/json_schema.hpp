#pragma once

#include "config/json_document.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pgveil::config {

struct SchemaViolation {
    std::string pointer;
    std::string problem;
};

/// The first place where `document` breaks `schema`, told by the schema's own descriptions.
std::optional<SchemaViolation> check_schema(const Json& document, std::string_view schema);

}  // namespace pgveil::config
