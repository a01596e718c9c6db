#pragma once

#include "proxy/migration/filling.hpp"
#include "proxy/rotation/stored.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pgveil::rotation {

/// What of a table is written anew.
struct Task {
    StoredTable table;
    std::vector<std::string> columns;  ///< randomized ones of the group
    std::vector<std::string> keys;     ///< the columns that some of them are bound to
};

/// Writes values anew in place: finds, at the database itself, rows with values under former keys,
/// reads and writes them through the proxy, which seals under the next key. Rows are locked from
/// the reading to the writing, so no other write is lost; what was written is read back and
/// compared. What is done shows in the values themselves: whoever begins again finds only what is
/// left.
class Rewriting {
public:
    Rewriting(
        Connection& database,
        Connection& proxy,
        migration::MaintenanceUser& user,
        migration::Progress& progress,
        migration::Pace pace
    )
        : database_(database), proxy_(proxy), user_(user), progress_(progress), pace_(pace) {}

    /// How many rows have values under one of the keys.
    Result<std::int64_t> count(const Task& task, const std::vector<std::uint32_t>& former);

    /// Once over the table. Rows that others move meanwhile are left for the next time. Returns how
    /// many rows were written; `left` rows are expected.
    Result<std::int64_t> pass(
        const Task& task, const std::vector<std::uint32_t>& former, std::int64_t left
    );

private:
    Result<std::int64_t> batch(const Task& task, const std::vector<std::string>& places);
    Result<std::int64_t> transaction(const Task& task, const std::vector<std::string>& places);
    Result<void> write(const Task& task, const migration::Cells& row);
    void wait_for_pace(std::int64_t rows) const;

    Connection& database_;
    Connection& proxy_;
    migration::MaintenanceUser& user_;
    migration::Progress& progress_;
    migration::Pace pace_;
};

}  // namespace pgveil::rotation
