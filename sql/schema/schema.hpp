#pragma once

#include "config/policy.hpp"
#include "sql/catalog/lookup.hpp"

#include <cstdint>
#include <string>
#include <string_view>

// The SQL texts that set up what pgveil keeps in a database. Pure texts; nothing is run here.
namespace pgveil::schema {

inline constexpr std::string_view kSchemaName = "pgveil";
inline constexpr std::string_view kCiphertextType = "pgveil.ciphertext";

/// One statement that makes sure schema and domain exist: looks, takes an advisory lock until the
/// end of the transaction, looks again (another session may have been quicker), and creates what is
/// missing. Nothing but the look happens where all is there.
std::string setup_block();

/// For the 42501 of a role that may not create schemas: the lines the owner must run.
std::string setup_lines_for_owner();

/// Name of a protected column's constraint: pgveil_<column>. Beyond PostgreSQL's 63 bytes it is cut
/// at a character border, and `_` and eight hexadecimal digits of the column's FNV-1a follow. Not
/// quoted.
std::string constraint_name(std::string_view column);

/// The condition inside CHECK (...): only NULL and envelopes of `scheme` pass; later envelope
/// versions are allowed. One LIKE over bytea, all names schema-qualified.
std::string check_expression(std::string_view column, config::Scheme scheme);

/// `CONSTRAINT "pgveil_ssn" CHECK (...)`, to stand in CREATE TABLE or after ALTER TABLE ... ADD.
std::string check_constraint(std::string_view column, config::Scheme scheme);

/// Beginning of the name of a constraint that says, and sees to it, under which data key a
/// searchable column's values stand: `pgveil_key:5:ssn`. A column without one has the group's live
/// key.
inline constexpr std::string_view kDataKeyPrefix = "pgveil_key:";

/// `CONSTRAINT "pgveil_key:5:ssn" CHECK (...)`: only NULL and envelopes under the key `key_id`
/// pass.
std::string data_key_constraint(std::string_view column, std::uint32_t key_id);

/// The key id in the name of such a constraint, as an expression of SQL.
inline constexpr std::string_view kDataKeyOfAttribute = catalog::kDataKeyOfAttribute;

/// A quoted identifier: always in double quotes, inner quotes doubled.
std::string quote_identifier(std::string_view name);

}  // namespace pgveil::schema
