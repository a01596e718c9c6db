#pragma once

#include "sql/analysis/draft.hpp"
#include "sql/parse/ast.hpp"

#include <optional>

namespace pgveil::analysis {

/// Refuses the row type of a protected table, or of a view over one, and arrays, domains, ranges
/// and composites of it, wherever a type is named: values of it would go to the server as they are
/// written, and come back as stored. So is every type of schema pgveil. Names that must be looked
/// up first go to relations.missing().
void refuse_row_types(Draft& draft, const parse::Inventory& inventory);

/// The same for the types that Parse declares by OID: why the text may not be prepared. A type that
/// the database does not have is an error, too: it may have it when the values arrive.
std::optional<Rejection> refuse_declared_types(Relations& relations, const Context& context);

}  // namespace pgveil::analysis
