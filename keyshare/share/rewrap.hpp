#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/key_kinds.hpp"
#include "keyshare/share/keyring.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The keyring rows of one key group under another TK (renew_tk). Pure.
namespace pgveil::share {

/// Every row of the group with the same DEK, key id, DEK epoch and state, wrapped under `fresh`, of
/// the next TK epoch; by key id, not stamped with a version yet. DEKs are gone when this returns.
/// kForged if a row does not open under `held`, kUnknownGroup if there is none.
Result<std::vector<KeyringRow>> rewrapped_rows(
    const Keyring& keyring,
    std::string_view tenant,
    const GroupPart<TenantKey>& held,
    const TenantKey& fresh,
    core::RandomSource& random
);

/// Whether rows that come from outside are the rows of one group under one TK, as far as their form
/// tells: not of the first TK epoch, by key id, exactly one of them live, not stamped.
bool has_rewrapped_form(const std::vector<KeyringRow>& rows);

/// Why the keyring cannot take these rows in place of those it has of their group; empty if it can.
/// Whether they fit TK and DEK shows when the first user's shares give that.
std::string objection_to_rewrap(const Keyring& keyring, const std::vector<KeyringRow>& rows);

/// The next version: `before` with these rows in place of those of the same key id, each stamped
/// with the new version and the hash of `before`.
Keyring with_rewrapped(const Keyring& before, const std::vector<KeyringRow>& rows);

}  // namespace pgveil::share
