#pragma once

#include "config/policy.hpp"
#include "proxy/migration/connection.hpp"

#include <string>
#include <vector>

// Views over a table that is exchanged for another one of the same columns. A view stands on the
// table itself, whatever that is called: without its name for as long as the table has none, nobody
// reads or writes the former one through it; then it is defined anew, by its own text.
namespace pgveil::migration {

/// Which views the query `v` of an SQL text finds: those over the table of that OID, and those over
/// them.
std::string views_over(const std::string& oid);

/// Quoted names of all views over `table` (quoted), as LOCK TABLE takes them.
Result<std::vector<std::string>> read_views(Connection& database, const std::string& table);

/// Takes the names from all views over `former` (quoted), which has lost its own.
std::string views_leave_sql(const std::string& former);

/// Gives the name of `table` to the table `fresh` (quoted), and the views that views_leave_sql()
/// has met theirs, now over that one. One that cannot be defined stays without its name, with a
/// warning.
std::string views_return_sql(const std::string& fresh, const config::PolicyName& table);

}  // namespace pgveil::migration
