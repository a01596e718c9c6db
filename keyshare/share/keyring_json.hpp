#pragma once

#include "keyshare/share/json_fields.hpp"
#include "keyshare/share/keyring.hpp"

namespace pgveil::share {

/// The keyring as a member of other messages.
Json keyring_to_json(const Keyring& keyring);
/// Reads without the canonical check, which the enclosing message makes for all its bytes;
/// `check_rows` is done here.
Result<Keyring> keyring_from_json(const Json& value);

}  // namespace pgveil::share
