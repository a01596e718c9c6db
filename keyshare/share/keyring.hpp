#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/jws.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/key_kinds.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::share {

/// Exactly one row per group is live: new values are sealed under it. At most one is next: while
/// the data are rotated, new values of randomized columns are sealed under that one. Retired rows
/// only open old values.
enum class KeyState { kLive, kRetired, kNext };
/// "live", "retired", "next".
std::string_view name_of(KeyState state);

/// One wrapped data key. Holds no secret that opens anything without TK.
struct KeyringRow {
    std::string group;
    std::uint32_t tk_epoch = 0;
    std::uint32_t dek_epoch = 0;
    std::uint32_t key_id = 0;  ///< unique in the tenant, never reused
    KeyState state = KeyState::kLive;
    core::Bytes wrap;
    Digest key_check{};
    core::Bytes zero;           ///< the ciphertext of "0"
    std::uint64_t version = 0;  ///< of the keyring when this row was last written
    Digest previous{};  ///< SHA-256 of the whole keyring (its JSON form) before that version; zeros
                        ///< at version 1 writing order

    bool operator==(const KeyringRow&) const = default;
};

/// The keyring of a tenant. Immutable once shared. Version 0 is empty.
struct Keyring {
    std::uint64_t version = 0;
    std::vector<KeyringRow> rows;

    /// The live row of a group; nullptr if there is no such group.
    const KeyringRow* live(std::string_view group) const;
    /// The next row of a group; nullptr if there is none.
    const KeyringRow* next(std::string_view group) const;
    const KeyringRow* find(std::string_view group, std::uint32_t key_id) const;
    bool operator==(const Keyring&) const = default;
};

using KeyringPtr = std::shared_ptr<const Keyring>;

/// Canonical JSON of one row and of the whole keyring (docs/FORMATS.md); `parse_*` refuses every
/// other form.
std::string serialize(const KeyringRow& row);
Result<KeyringRow> parse_keyring_row(std::string_view json);
std::string serialize(const Keyring& keyring);
Result<Keyring> parse_keyring(std::string_view json);
/// Checks what must hold between rows: one live row per group and at most one next beside it, key
/// ids unique and not 0, row versions from 1 to the keyring's, groups at most kGroupsMax.
/// `parse_keyring` has done it.
Result<void> check_rows(const Keyring& keyring);
/// The next version: `before` with rows added, each stamped with the new version and the hash of
/// `before`.
Keyring with_rows(const Keyring& before, std::vector<KeyringRow> added);

/// One row of table pgveil.keyring in the home database of D. `row` is a compact JWS by P over
/// {tenant, row}.
struct MirrorRow {
    std::string group;
    std::uint32_t key_id = 0;
    std::uint64_t version = 0;
    std::string row;
};

std::vector<MirrorRow> make_mirror(
    const Keyring& keyring, std::string_view tenant, const core::SigningKey& identity
);
/// Verifies signature, tenant and that the clear columns say what the signed row says.
Result<KeyringRow> open_mirror_row(
    const MirrorRow& row, std::string_view tenant, const core::VerifyingKey& identity
);

}  // namespace pgveil::share
