#pragma once

#include "config/json_document.hpp"
#include "config/policy.hpp"

#include <string_view>

namespace pgveil::config {

/// Turns a document that fits policy.schema.json into content; names, types and options are
/// checked one by one, contradictions between entries by check_policy().
Result<PolicyContent> read_policy(std::string_view file, const Json& document);

/// Checks that need the whole policy: tables that stand twice, contexts whose columns disagree,
/// plain entries that name a protected table.
Result<void> check_policy(std::string_view file, const PolicyContent& content);

}  // namespace pgveil::config
