#pragma once

#include "sql/parse/ast.hpp"

#include <cstddef>
#include <optional>
#include <string>

// How ORDER BY, GROUP BY and DISTINCT ON refer to result columns (documentation section 7.5).
namespace pgveil::analysis {

/// `ORDER BY 2`: the number of a result column, 1-based.
std::optional<std::size_t> ordinal_of(const parse::Expression& node);

/// A bare name, as GROUP BY and ORDER BY may use for a result column; else null. Borrowed.
const std::string* bare_name(const parse::Expression& node);

bool is_union_all(const parse::Select& select);

/// Rows are told apart or sorted by the result column at `index`, or it cannot be excluded.
bool compares_column(const parse::Select& select, std::size_t index, const std::string& name);

}  // namespace pgveil::analysis
