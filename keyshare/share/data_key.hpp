#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/key_kinds.hpp"
#include "keyshare/share/keyring.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Another DEK for a key group: the row comes in beside the live one, and takes its place when no
/// value is left under that. Pure.
namespace pgveil::share {

/// A fresh DEK of the group's next DEK epoch, wrapped under its TK, in the state next; not stamped
/// with a version yet. The DEK is gone when this returns. kUnknownGroup if the keyring has no live
/// row of the group; kForged if `key` is not the TK of that row.
Result<KeyringRow> next_row(
    const Keyring& keyring,
    std::string_view tenant,
    const GroupPart<TenantKey>& key,
    std::uint32_t key_id,
    core::RandomSource& random
);

/// Whether a row that comes from outside is one that came into its group later, as far as its form
/// tells: not of the first DEK epoch, in this state, not stamped.
bool has_later_row_form(const KeyringRow& row, KeyState state);

/// Why the keyring cannot take this row as the next one of its group; empty if it can. Whether the
/// wrap fits TK shows when a user's shares give that.
std::string objection_to_next(const Keyring& keyring, const KeyringRow& row);

/// The next row of the group as it is once it is live; nothing has stamped it. kInvalidArgument if
/// the group has no next row.
Result<KeyringRow> successor(const Keyring& keyring, std::string_view group);

/// Why this row cannot become the only one of its group; empty if it can.
std::string objection_to_successor(const Keyring& keyring, const KeyringRow& row);

/// The next version: `before` with this row as the only one of its group, stamped with the new
/// version and the hash of `before`. The wraps of the others are gone.
Keyring with_successor(const Keyring& before, const KeyringRow& row);

}  // namespace pgveil::share
