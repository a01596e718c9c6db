#include "sql/schema/store_version.hpp"

namespace pgveil::schema {

std::string_view create_store_version() {
    return "DO $pgveil$ BEGIN IF pg_catalog.to_regclass('pgveil.store_version') IS NULL THEN "
           "CREATE TABLE pgveil.store_version (identity pg_catalog.text PRIMARY KEY, "
           "store_version pg_catalog.int8 NOT NULL, last_sequence pg_catalog.int8 NOT NULL); "
           "REVOKE ALL ON TABLE pgveil.store_version FROM PUBLIC; END IF; END $pgveil$";
}

std::string_view read_store_version() {
    return "SELECT store_version, last_sequence FROM pgveil.store_version "
           "WHERE identity = $1::pg_catalog.text";
}

std::string_view write_store_version() {
    return "INSERT INTO pgveil.store_version (identity, store_version, last_sequence) "
           "VALUES ($1::pg_catalog.text, $2::pg_catalog.int8, $3::pg_catalog.int8) "
           "ON CONFLICT (identity) DO UPDATE SET store_version = EXCLUDED.store_version, "
           "last_sequence = EXCLUDED.last_sequence "
           "WHERE store_version.store_version < EXCLUDED.store_version";
}

std::string_view forget_store_version() {
    return "DELETE FROM pgveil.store_version WHERE identity = $1::pg_catalog.text";
}

}  // namespace pgveil::schema
