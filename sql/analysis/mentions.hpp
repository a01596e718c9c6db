#pragma once

#include "sql/parse/ast.hpp"

#include <functional>
#include <string>

namespace pgveil::analysis {

/// True if a column name inside `expression` satisfies `is_wanted`, or might: stars, sub-queries
/// and unknown constructs count as yes. For definitions (CHECK, DEFAULT, index predicates), where
/// no use of a protected column is possible.
bool may_mention(
    const parse::Expression& expression, const std::function<bool(const std::string&)>& is_wanted
);

}  // namespace pgveil::analysis
