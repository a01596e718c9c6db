#pragma once

#include <string_view>

// What the home database remembers of the share store: its version, by the identity of the proxy.
// Texts only: the caller runs them.
namespace pgveil::schema {

/// Creates pgveil.store_version(identity text, store_version int8, last_sequence int8) if it is
/// missing, and takes all rights on it from PUBLIC. One statement; needs schema pgveil.
std::string_view create_store_version();

/// Parameter $1: identity. Columns: store_version, last_sequence; at most one row.
std::string_view read_store_version();

/// Parameters, as text: $1 identity, $2 store_version, $3 last_sequence.
std::string_view write_store_version();

/// Parameter $1: identity.
std::string_view forget_store_version();

}  // namespace pgveil::schema
