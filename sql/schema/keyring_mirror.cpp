#include "sql/schema/keyring_mirror.hpp"

namespace pgveil::schema {

std::string_view create_keyring() {
    return "DO $pgveil$ BEGIN IF pg_catalog.to_regclass('pgveil.keyring') IS NULL THEN "
           "CREATE TABLE pgveil.keyring (key_group pg_catalog.text NOT NULL, "
           "key_id pg_catalog.int8 NOT NULL, version pg_catalog.int8 NOT NULL, "
           "entry pg_catalog.text NOT NULL, PRIMARY KEY (key_group, key_id)); "
           "REVOKE ALL ON TABLE pgveil.keyring FROM PUBLIC; END IF; END $pgveil$";
}

std::string_view read_keyring() {
    return "SELECT key_group, key_id, version, entry FROM pgveil.keyring ORDER BY key_id";
}

std::string_view clear_keyring() {
    return "DELETE FROM pgveil.keyring";
}

std::string_view write_keyring_row() {
    return "INSERT INTO pgveil.keyring (key_group, key_id, version, entry) "
           "VALUES ($1::pg_catalog.text, $2::pg_catalog.int8, $3::pg_catalog.int8, "
           "$4::pg_catalog.text)";
}

}  // namespace pgveil::schema
