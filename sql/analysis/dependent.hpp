#pragma once

#include "sql/analysis/draft.hpp"

// What hangs on the columns of a table: sequences with an owner, extended statistics.
namespace pgveil::analysis {

/// OWNED BY of a plain column passes, with the schema of its table; a protected one has no
/// sequence. What else stands in `statement` is judged by its words.
void own_sequence(
    Draft& draft, const parse::OwnedSequence& sequence, const parse::Statement& statement
);

/// CREATE STATISTICS on a protected table takes plain columns.
void define_statistics(Draft& draft, const parse::CreateStatistics& create);

}  // namespace pgveil::analysis
