#pragma once

#include "sql/analysis/draft.hpp"

// Definitions of views. A view keeps its query as the server reads it, so the query is judged by
// the rules for SELECT, and must be one that pgveil can follow later on (view.hpp).
namespace pgveil::analysis {

/// CREATE [MATERIALIZED] VIEW whose query has been decided: refuses what a view cannot keep, and
/// makes the plan one of a definition.
void define_view(Draft& draft, const parse::CreateView& create);

/// ALTER of a view, REFRESH. Its names have been judged.
void alter_view(Draft& draft, const parse::AlterView& alter);

/// ALTER TABLE of a view over a protected table, as pg_dump writes it. False: it is none.
bool alter_as_view(Draft& draft, const parse::AlterTable& alter);

}  // namespace pgveil::analysis
