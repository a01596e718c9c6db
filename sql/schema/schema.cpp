#include "sql/schema/schema.hpp"

namespace pgveil::schema {

std::string setup_block() {
    // Two 4-byte halves, so that the lock cannot meet an application's own 8-byte ones: "pgve",
    // "il". No IF NOT EXISTS: it asks for the right to create even when the schema exists.
    return "DO $pgveil$ BEGIN "
           "IF pg_catalog.to_regtype('pgveil.ciphertext') IS NULL THEN "
           "PERFORM pg_catalog.pg_advisory_xact_lock(1885828709, 26988); "
           "IF pg_catalog.to_regnamespace('pgveil') IS NULL THEN "
           "CREATE SCHEMA pgveil; GRANT USAGE ON SCHEMA pgveil TO PUBLIC; END IF; "
           "IF pg_catalog.to_regtype('pgveil.ciphertext') IS NULL THEN "
           "CREATE DOMAIN pgveil.ciphertext AS pg_catalog.bytea; END IF; "
           "END IF; END $pgveil$";
}

std::string setup_lines_for_owner() {
    return "CREATE SCHEMA pgveil; GRANT USAGE ON SCHEMA pgveil TO PUBLIC;\n"
           "CREATE DOMAIN pgveil.ciphertext AS pg_catalog.bytea;";
}

std::string quote_identifier(std::string_view name) {
    std::string quoted = "\"";
    for (const char letter : name) {
        quoted += letter;
        if (letter == '"') {
            quoted += '"';
        }
    }
    return quoted + "\"";
}

}  // namespace pgveil::schema
