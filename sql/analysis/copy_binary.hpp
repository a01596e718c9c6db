#pragma once

#include "sql/analysis/copy_plan.hpp"
#include "sql/analysis/draft.hpp"
#include "sql/catalog/catalog.hpp"
#include "sql/parse/ast.hpp"

namespace pgveil::analysis {

/// COPY FROM STDIN in text or csv with a protected column: where nobody can tell the difference by
/// the outcome, the statement asks the server for binary, and `plan` says so. That is where every
/// plain column has exact text (types::has_exact_text), every option says something about the
/// client's bytes alone, and both sides speak UTF8; else nothing changes. `plan` is complete.
///
/// A column that came to have another type since the catalog was read must not take the bytes for
/// something else: a WHERE that is true is added, which the server cannot read then (42883).
void send_in_binary(
    Draft& draft, const parse::Copy& copy, const catalog::Relation& relation, CopyPlan& plan
);

}  // namespace pgveil::analysis
