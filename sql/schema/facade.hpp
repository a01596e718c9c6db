#pragma once

#include "config/policy.hpp"
#include "sql/catalog/catalog.hpp"

#include <string>
#include <string_view>
#include <vector>

// The façade: what a client reads in PostgreSQL's catalog looks as if the tables were plain.
namespace pgveil::schema {

/// True for the relations of pg_catalog and information_schema in which something of pgveil shows.
bool has_facade(std::string_view schema, std::string_view name);

/// The same for a name without schema.
bool has_facade(std::string_view name);

/// A sub-select in parentheses, without alias, that can stand for `relation` in a FROM list (empty
/// unless has_facade()): the same columns in the same order, and of the same types, behind them the
/// `system_columns`, as far as the relation has them. Columns that the policy protects and the
/// database stores as pgveil.ciphertext have their logical type; schema pgveil and what lies in it,
/// and the CHECKs pgveil_<column>, are absent. Everything else is what the catalog says.
/// Not promised: what functions say that read the catalog themselves (pg_get_constraintdef), and
/// the row type of the relation.
std::string facade_of(
    const catalog::Relation& relation,
    const config::Policy& policy,
    const std::vector<std::string>& system_columns
);

}  // namespace pgveil::schema
