#pragma once

#include "sql/analysis/draft.hpp"

// CREATE TABLE AS and SELECT INTO: a stored copy of an encrypted column would be one that the
// policy does not know.
namespace pgveil::analysis {

/// The new table may not have the name of a protected one.
void refuse_protected_target(Draft& draft, const parse::CreateTableAs& create);

/// The query inside has been decided: its result may hold no encrypted column.
void refuse_stored_copies(Draft& draft, const parse::CreateTableAs& create);

}  // namespace pgveil::analysis
