#pragma once

#include "sql/parse/ast.hpp"

#include <optional>
#include <string>

namespace pgveil::analysis {

/// The name PostgreSQL gives a result column without alias (FigureColname in parse_target.c); empty
/// if it has none and is shown as `?column?`. Nullopt where the tree does not tell.
/// @param server_major 0: not known
std::optional<std::string> name_of_column(const parse::Expression& value, int server_major);

}  // namespace pgveil::analysis
