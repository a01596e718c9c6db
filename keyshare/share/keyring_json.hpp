#pragma once

#include "keyshare/share/json_fields.hpp"
#include "keyshare/share/keyring.hpp"

namespace pgveil::share {

/// One row as a member of other messages; reading checks no relation to other rows.
Json row_to_json(const KeyringRow& row);
Result<KeyringRow> row_from_json(const Json& value);
/// The keyring as a member of other messages.
Json keyring_to_json(const Keyring& keyring);
/// Reads without the canonical check, which the enclosing message makes for all its bytes;
/// `check_rows` is done here.
Result<Keyring> keyring_from_json(const Json& value);

}  // namespace pgveil::share
