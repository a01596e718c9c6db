#pragma once

#include "sql/analysis/draft.hpp"
#include "sql/parse/ast.hpp"

namespace pgveil::analysis {

/// Refuses the row type of a protected table, or of a view over one, and arrays of it, wherever a
/// type is named: values of it would go to the server as they are written, and come back as
/// stored. So is every type of schema pgveil. Names that must be looked up first go to
/// relations.missing().
void refuse_row_types(Draft& draft, const parse::Inventory& inventory);

}  // namespace pgveil::analysis
