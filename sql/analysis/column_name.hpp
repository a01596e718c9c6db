#pragma once

#include "sql/parse/ast.hpp"

#include <optional>
#include <string>

namespace pgveil::analysis {

struct ColumnName {
    std::string name;  ///< empty: it has none, and is shown as `?column?`
    /// It comes from a constant, a parameter, a cast or MIN and MAX: where these leave as something
    /// else, so does the name.
    bool may_change = false;
};

/// The name PostgreSQL gives a result column without alias (FigureColname in parse_target.c).
/// Nullopt where the tree does not tell.
/// @param server_major 0: not known
std::optional<ColumnName> name_of_column(const parse::Expression& value, int server_major);

}  // namespace pgveil::analysis
