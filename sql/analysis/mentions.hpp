#pragma once

#include "sql/parse/ast.hpp"

#include <string_view>

namespace pgveil::analysis {

/// A column in a definition of its own table, where it needs no table in front.
struct SoughtColumn {
    std::string_view table;
    std::string_view column;
};

/// True if `expression` uses the column, or might: the table's whole row, stars, sub-queries and
/// unknown constructs count as yes. For definitions (CHECK, DEFAULT, index predicates), where no
/// use of a protected column is possible.
bool may_mention(const parse::Expression& expression, const SoughtColumn& sought);

/// The same for a part of an index, of EXCLUDE or of CREATE STATISTICS.
bool may_mention(const parse::IndexElement& element, const SoughtColumn& sought);

}  // namespace pgveil::analysis
