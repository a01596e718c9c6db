#pragma once

#include "proxy/migration/filling.hpp"
#include "proxy/migration/table.hpp"

#include <string>

// Steps that `pgveil migrate` and `pgveil rotate-data` have in common.
namespace pgveil::migration {

/// Runs a transaction that waits for its locks for a short time only: tries again, a second each
/// time, while others hold them.
Result<void> run_with_lock(Connection& database, const std::string& sql);

/// Two runs at once would do each other's work: takes the advisory lock (`number`, hash of `what`)
/// until the session ends. The session of a run that was killed may live on until its statement
/// ends: waits for half a minute.
Result<void> keep_alone(
    Connection& database, Progress& progress, int number, const std::string& what
);

/// Of the locks for one table.
inline constexpr int kTableLock = 1885828709;

/// Brings everything over into the other table, which is there, and gives it the indexes of the
/// table; the table is read anew.
Result<void> bring_over(
    Connection& database,
    Filling& filling,
    Progress& progress,
    Table& table,
    const config::TablePolicy& policy
);

}  // namespace pgveil::migration
