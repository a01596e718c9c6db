#pragma once

#include "sql/analysis/draft.hpp"

namespace pgveil::analysis {

/// Decides one statement of a text. Names that must be looked up first go to relations.missing();
/// then the decision is worthless.
Decision judge_statement(Text& text, const parse::Statement& statement);

}  // namespace pgveil::analysis
