#pragma once

#include <string_view>

// The keyring mirror: one table in the home database, owned by the proxy's role. It is a copy; the
// authoritative keyring is in the share store. Texts only: the caller runs them and checks rows.
namespace pgveil::schema {

/// Creates pgveil.keyring(key_group text, key_id int8, version int8, entry text) if it is missing,
/// and takes all rights on it from PUBLIC. One statement; needs schema pgveil.
std::string_view create_keyring();

/// Columns: key_group, key_id, version, entry (a signed keyring row), in the order of key ids.
std::string_view read_keyring();

/// Removes every row.
std::string_view clear_keyring();

/// Parameters, as text: $1 key_group, $2 key_id, $3 version, $4 entry.
std::string_view write_keyring_row();

}  // namespace pgveil::schema
