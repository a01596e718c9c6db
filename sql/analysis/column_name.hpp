#pragma once

#include "sql/parse/ast.hpp"

#include <string>

namespace pgveil::analysis {

/// The name PostgreSQL gives a result column without alias (FigureColname in parse_target.c);
/// empty where it cannot be told from the tree.
std::string name_of_column(const parse::Expression& value);

}  // namespace pgveil::analysis
