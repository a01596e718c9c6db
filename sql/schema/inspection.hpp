#pragma once

#include "config/policy.hpp"

#include <string>
#include <string_view>

// Queries that tell how a database differs from the policy. They read only pg_catalog, any role may
// run them, and every name in them is qualified. Parameter $1 of each, as text: the last names of
// protected tables as a text[] literal (catalog::protected_parameter()). Booleans are 't' or 'f'.
namespace pgveil::schema {

/// Databases one can connect to, with whether the caller may: datname, may_connect.
std::string databases_query();

/// The type pgveil.ciphertext; no row if there is none: typtype, base type, is_constrained (NOT
/// NULL, a default, a length or a CHECK).
std::string marker_query();

/// Relations with a protected last name, temporary ones excluded: schema, name, relkind.
std::string relations_query();

/// What is a partition or child of what, one step each: schema, table, schema and table of the
/// parent.
std::string parents_query();

/// Columns of protected tables, of their partitions and children, and every other relation's
/// columns of type pgveil.ciphertext: schema, table, column, type, is_ciphertext, relkind, type
/// OID, typmod.
std::string columns_query();

/// CHECK constraints pgveil_... of any table: schema, table, name, is_validated, definition.
std::string checks_query();

/// What else sees the values of a protected table: schema, table, kind (view, rule, trigger,
/// row-level security policy, function), name; of views also their own schema and name.
std::string attachments_query();

/// The columns of every view and materialized view over a protected table, over any number of
/// steps: schema, view, relkind, column, type OID, typmod, is_ciphertext, hash of its query as
/// catalog::Relation::query_hash.
std::string views_query();

/// The labels of all enums: schema, type, label. Takes no parameter.
std::string enums_query();

/// True if `definition`, as pg_get_constraintdef() prints it, is check_constraint(column, scheme).
bool is_check_of(std::string_view definition, std::string_view column, config::Scheme scheme);

}  // namespace pgveil::schema
