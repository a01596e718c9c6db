#pragma once

#include "sql/analysis/relations.hpp"
#include "sql/parse/ast.hpp"

// What a statement does with tables, for keys that may not be used for everything.
namespace pgveil::analysis {

/// The statement names this protected relation: StatementPlan::tables. A view stands for the tables
/// whose protected columns it shows.
void note_tables(StatementPlan& plan, const KnownRelation& known);

/// Completes StatementPlan::tables, and says whether it may_write. `inside` is the kind of the
/// statement in EXPLAIN, PREPARE or DECLARE, else the plan's own.
void note_effects(StatementPlan& plan, StatementKind inside, const parse::Statement& statement);

}  // namespace pgveil::analysis
