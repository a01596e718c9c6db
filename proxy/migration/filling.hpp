#pragma once

#include "proxy/migration/maintenance_user.hpp"
#include "proxy/migration/progress.hpp"
#include "proxy/migration/table.hpp"

#include <cstdint>

namespace pgveil::migration {

struct Pace {
    std::int64_t batch_rows = 500;
    std::int64_t rows_per_second = 0;  ///< 0: as fast as it goes
};

/// Brings the other table up to the table, by the marks, through the proxy: what it reads opened it
/// writes plain, and the other way round. Every row that it writes is read back and compared.
class Filling {
public:
    Filling(Connection& proxy, MaintenanceUser& user, Progress& progress, Pace pace)
        : proxy_(proxy), user_(user), progress_(progress), pace_(pace) {}

    /// Settings under which every value's text is exact. Once for each session.
    Result<void> prepare();

    /// Until no mark is left, or only those that came in the last moments. `left`: marks at the
    /// start, for the progress.
    Result<void> run(const Table& table, std::int64_t left);

    /// The rows of the oldest marks, in one transaction; all marks if `limit` is 0. How many marks
    /// there were.
    Result<std::int64_t> batch(const Table& table, std::int64_t limit);

private:
    Result<void> replace(const Table& table, const std::string& bound);
    Result<std::int64_t> transaction(const Table& table, std::int64_t limit);
    void wait_for_pace(std::int64_t rows) const;

    Connection& proxy_;
    MaintenanceUser& user_;
    Progress& progress_;
    Pace pace_;
};

}  // namespace pgveil::migration
