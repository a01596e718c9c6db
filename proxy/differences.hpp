#pragma once

#include "config/policy.hpp"
#include "proxy/mirror/database.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace pgveil::proxy {

/// How one database differs from the policy.
struct Differences {
    /// One line each: what, and what to do. In the order of names.
    std::vector<std::string> lines;
    /// Entries of the policy, "schema.table", without a table here. Not among the lines: where the
    /// policy covers several databases, the table may lie in another one.
    std::set<std::string> missing_tables;
    /// Such lines of each view and materialized view over a protected table. Not among the others:
    /// they are none where the view is pinned as it is.
    std::map<config::PolicyName, std::vector<std::string>> views;
    /// Every protected table that was found, and every view over one, with its shape.
    std::map<config::PolicyName, std::string> shapes;
};

/// Reads only the catalog, in no transaction: what changes meanwhile may be seen half. The catalog
/// is the database's word; a hostile one can hide what it likes.
mirror::Result<Differences> find_differences(
    mirror::Database& database, const config::Policy& policy
);

}  // namespace pgveil::proxy
