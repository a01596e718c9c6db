#pragma once

#include "proxy/migration/table.hpp"

#include <string>
#include <vector>

namespace pgveil::migration {

/// What stands in the way of a migration, one line each with what to do about it; empty: nothing.
/// It is all that a migration would lose, or that the database could not do with encrypted columns.
Result<std::vector<std::string>> find_obstacles(
    Connection& database, const Table& table, const config::TablePolicy& policy
);

}  // namespace pgveil::migration
