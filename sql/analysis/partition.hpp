#pragma once

#include "sql/analysis/draft.hpp"
#include "sql/analysis/table_rules.hpp"

// PARTITION BY, and the bounds of partitions.
namespace pgveil::analysis {

/// PARTITION BY of the table that `rules` are for: protected columns by HASH, LIST and RANGE as
/// their scheme allows.
void partition_by(Draft& draft, const parse::CreateTable& statement, TableRules& rules);

/// FOR VALUES of a partition of `root`: constants for protected keys leave as envelopes.
void bound_partition(
    Draft& draft, const parse::Expressions& bounds, const KnownRelation& root, std::uint32_t begin
);

/// The key of a table that this text makes, as Relation::partition_key has it.
std::string partition_key_of(const parse::CreateTable& statement);

}  // namespace pgveil::analysis
