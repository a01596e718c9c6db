#pragma once

#include "proxy/migration/table.hpp"

#include <string>

// The SQL of a migration's definitions, all for PostgreSQL itself. Nothing in it is a value.
namespace pgveil::migration {

/// Makes the other table, empty, and the triggers that mark every row that changes from now on. One
/// transaction; it waits for its lock for two seconds.
std::string expansion_sql(const Table& table, const config::TablePolicy& policy);

/// Marks every row, once.
std::string enqueue_sql(const Table& table);

/// Statements that give the other table the table's indexes, unique constraints and statistics. One
/// row each, one column.
std::string index_statements_query(const Table& table);

/// Drops the other table, the marks and the triggers.
std::string removal_sql(const Table& table);

/// Triggers that mark the rows of `relation`.
std::string triggers_sql(const Names& names, const std::string& relation);

}  // namespace pgveil::migration
