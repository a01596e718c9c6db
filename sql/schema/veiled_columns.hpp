#pragma once

#include "config/policy.hpp"

#include <string>

namespace pgveil::schema {

/// A query in parentheses, all names qualified: one row per column that the database stores as
/// pgveil.ciphertext and that has an entry in the policy, as a column of the table itself, of a
/// partition or child of it, of a view that shows it as it is, or of an index on these. Columns:
///   relid, attnum; nspname, relname, attname
///   typid, typmod; typlen, typbyval, typalign, typstorage, typcollation, typname, typelem,
///   typschema (its name) of typid
/// Any role may run it. Its cost grows with the policy and with what stands in it, not with the
/// size of the catalog. The policy may not be empty.
std::string veiled_columns(const config::Policy& policy);

}  // namespace pgveil::schema
