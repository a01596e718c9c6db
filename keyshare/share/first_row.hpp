#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/share/key_kinds.hpp"
#include "keyshare/share/keyring.hpp"

#include <cstdint>
#include <string_view>

namespace pgveil::share {

/// The first keyring row of a key group: a fresh DEK wrapped under its TK, key check and "0"; not
/// stamped with a version yet. The DEK is gone when this returns.
KeyringRow first_row(
    std::string_view tenant,
    const GroupPart<TenantKey>& group,
    std::uint32_t key_id,
    core::RandomSource& random
);

/// Whether a row that comes from outside is a first row as far as its form tells: its wrap and "0"
/// have their sizes, its epochs are the first, and no keyring has stamped it.
bool has_first_row_form(const KeyringRow& row);

/// Whether wrap and "0" of a row that comes from outside have their sizes, and no keyring has
/// stamped it.
bool is_unstamped_row(const KeyringRow& row);

}  // namespace pgveil::share
