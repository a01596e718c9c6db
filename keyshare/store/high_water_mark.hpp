#pragma once

#include "keyshare/core/p256.hpp"
#include "keyshare/share/key_kinds.hpp"
#include "keyshare/store/error.hpp"
#include "keyshare/store/sealed_store.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

// What a proxy remembers, on its own machine, of a share store that lies elsewhere: how far it had
// come. The tenant's commands are a chain, so that the newest one's hash stands for all of them,
// and the tenant has signed it.
namespace pgveil::store {

/// Row "custody"/"last_command": the newest command of the tenant, with his signature over it.
struct LastCommand {
    std::uint64_t sequence = 0;
    share::Digest hash{};   ///< of the signing input
    core::Bytes signature;  ///< r || s
};

RowName last_command_row();
core::SecretBytes serialize(const LastCommand& last);
Result<LastCommand> parse_last_command(core::ByteView bytes);

/// What the file holds.
struct HighWaterMark {
    share::Digest identity{};  ///< fingerprint of P's identity key
    std::uint64_t store_version = 0;
    std::optional<LastCommand> last;  ///< nothing: the tenant had sent none
};

core::Bytes serialize(const HighWaterMark& mark);
Result<HighWaterMark> parse_high_water_mark(core::ByteView bytes);

/// Nothing: there is no such file. kBroken: it holds something else.
Result<std::optional<HighWaterMark>> read_high_water_mark(const std::filesystem::path& path);
/// In one step, mode 0600, synced.
Result<void> write_high_water_mark(const std::filesystem::path& path, const HighWaterMark& mark);

/// How far the store has come. `identity` as in the mark.
Result<HighWaterMark> mark_of(const SealedStore& store, const share::Digest& identity);

/// kBroken, with what to do, if the store is older than the mark, if it holds other commands than
/// the mark says, or if the tenant (`tenant`: his signing key, null before he is known) has not
/// signed what the mark says.
Result<void> check_against(
    const HighWaterMark& mark,
    const SealedStore& store,
    const HighWaterMark& found,
    const core::PublicPoint* tenant
);

}  // namespace pgveil::store
