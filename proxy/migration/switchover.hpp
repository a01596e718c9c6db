#pragma once

#include "proxy/migration/filling.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace pgveil::migration {

/// Puts the other table in the place of the table, for one or for several tables at once. Writers
/// wait while the last marks are brought over; then there is no table of that name for `absence`,
/// which has to be longer than any proxy believes what it was told of a table.
class Switchover {
public:
    Switchover(
        Connection& database,
        Filling& filling,
        Progress& progress,
        std::chrono::milliseconds absence
    )
        : database_(database), filling_(filling), progress_(progress), absence_(absence) {}

    /// Gives the new table its name if a server that crashed has left it without. True: it had.
    static Result<bool> finish(Connection& database, const config::PolicyName& name);

    /// Tries again while others hold their locks for long.
    Result<void> run(const std::vector<Table>& tables);

    /// Foreign keys are added unchecked, so that the lock is short; this checks them.
    Result<void> validate(const Table& table);

private:
    Result<void> compare_keys(const Table& table);
    Result<bool> attempt(const std::vector<Table>& tables);
    Result<void> catch_up(const std::vector<Table>& tables);
    Result<void> catch_up(const Table& table);
    std::string switch_sql(const std::vector<Table>& tables) const;

    Connection& database_;
    Filling& filling_;
    Progress& progress_;
    std::chrono::milliseconds absence_;
};

}  // namespace pgveil::migration
