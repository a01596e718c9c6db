#pragma once

#include "sql/analysis/draft.hpp"

#include <cstddef>
#include <string>

// What a statement writes to.
namespace pgveil::analysis {

/// The relation at the place of a statement where views may stand as well.
parse::Inventory::Table written_relation(const parse::TableReference& target);

/// Position of a column in the relation; the size if there is none.
std::size_t index_of(const catalog::Relation& relation, const std::string& name);

/// A value, not NULL, for a column with bind_to.
bool needs_row(const ColumnPtr& column, const parse::Expression& value);

/// PostgreSQL's words for a column that is not there.
std::string missing_column(const std::string& name, const catalog::Relation& relation);

}  // namespace pgveil::analysis
