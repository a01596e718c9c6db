#pragma once

#include "sql/analysis/draft.hpp"

namespace pgveil::analysis {

/// The rules for COPY of a protected table, or of a query that reads one. To be called when the
/// relations it names have been judged.
void judge_copy(Draft& draft, const parse::Copy& copy);

}  // namespace pgveil::analysis
