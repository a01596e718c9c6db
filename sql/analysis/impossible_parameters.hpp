#pragma once

#include "sql/analysis/draft.hpp"
#include "sql/parse/ast.hpp"

namespace pgveil::analysis {

/// Refuses numbers of parameters that no Bind can carry (PostgreSQL's 42P02). Later steps size
/// things by these numbers.
void refuse_impossible_parameters(Draft& draft, const parse::Statement& statement);

}  // namespace pgveil::analysis
