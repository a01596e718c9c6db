#pragma once

#include "config/json_document.hpp"
#include "config/policy.hpp"

#include <string_view>
#include <vector>

namespace pgveil::config {

/// The functions under "functions", each with what it returns: rows of one of `tables`, or values
/// of a protected column of it. Columns with bind_to open beside their own row only, which a
/// function's result does not tell: tables with one are refused.
Result<std::vector<FunctionPolicy>> read_functions(
    std::string_view file, const Json& document, const std::vector<TablePolicy>& tables
);

}  // namespace pgveil::config
