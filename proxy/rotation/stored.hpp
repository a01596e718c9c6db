#pragma once

#include "config/policy.hpp"
#include "proxy/migration/connection.hpp"

#include <cstdint>
#include <string>
#include <vector>

// Where encrypted values stand in a database, as its catalog says, whatever the policy knows of it.
namespace pgveil::rotation {

using migration::Connection;
using migration::Error;
using migration::Result;

struct StoredColumn {
    std::string name;
    /// Of the policy; null: it knows no such column.
    const config::ColumnPolicy* veil = nullptr;
    /// The key id that a constraint of the column names; 0: none.
    std::uint32_t data_key = 0;
};

/// A table, partition or materialized view with columns of type pgveil.ciphertext.
struct StoredTable {
    config::PolicyName name;
    config::PolicyName root;  ///< of its partitions; its own name where it is none
    std::string quoted;       ///< schema and name, for SQL
    std::int64_t blocks = 0;
    bool is_view = false;  ///< materialized
    std::vector<StoredColumn> columns;
};

/// A partition or child has the policy of the table at its root.
Result<std::vector<StoredTable>> stored_tables(Connection& database, const config::Policy& policy);

/// `"name"`.
std::string quoted(const std::string& name);

/// The condition that an envelope of the column stands under one of these keys; for PostgreSQL
/// itself, which sees the envelope.
std::string is_under(const std::string& column, const std::vector<std::uint32_t>& key_ids);

/// Something that stands under one of the keys, and how often: a column, a DEFAULT, a view.
struct Remainder {
    std::string what;
    std::int64_t count = 0;
};

/// Everything of the database that stands under one of these keys. Key ids are the tenant's, so
/// this needs no policy.
Result<std::vector<Remainder>> remainders(
    Connection& database, const config::Policy& policy, const std::vector<std::uint32_t>& key_ids
);

}  // namespace pgveil::rotation
