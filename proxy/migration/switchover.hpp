#pragma once

#include "proxy/migration/filling.hpp"

namespace pgveil::migration {

/// Puts the other table in the place of the table, in one transaction. Writers wait while the last
/// marks are brought over; readers for the moment of the renaming.
class Switchover {
public:
    Switchover(Connection& database, Filling& filling, Progress& progress)
        : database_(database), filling_(filling), progress_(progress) {}

    /// Tries again while others hold their locks for long.
    Result<void> run(const Table& table);

    /// Foreign keys are added unchecked, so that the lock is short; this checks them.
    Result<void> validate(const Table& table);

private:
    Result<void> compare_keys(const Table& table);
    Result<bool> attempt(const Table& table);
    Result<void> catch_up(const Table& table);

    Connection& database_;
    Filling& filling_;
    Progress& progress_;
};

}  // namespace pgveil::migration
