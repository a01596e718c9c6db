#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/custody/questions.hpp"
#include "keyshare/seal/error.hpp"

#include <filesystem>
#include <optional>

namespace pgveil::custody {

/// A store key as it lies on the disk, sealed to a group of custodians (docs/FORMATS.md). Nothing
/// in it is secret.
struct KeptKey {
    StoreVersion store;  ///< the store, and how often its key was renewed, from 1
    core::Sha256Digest group{};
    core::PublicPoint point;  ///< r*G of an r that nobody keeps
    core::Bytes sealed;       ///< XAES-256-GCM under a key derived from r*Y
};

/// What the sealed key is bound to: everything before it.
core::Bytes header_of(const KeptKey& kept);

core::Bytes to_bytes(const KeptKey& kept);
/// Nothing for anything that to_bytes() does not write. Never throws on any bytes.
std::optional<KeptKey> parse_kept_key(core::ByteView bytes);

/// The key that seals, from what the group gives for `point` (or whoever drew r) and, where another
/// seal stands beside the custodians, from its key.
core::SecretBytes sealing_key(
    const KeptKey& kept, core::ByteView shared, core::ByteView beside_or_empty
);

bool is_there(const std::filesystem::path& path);
seal::Result<KeptKey> read_kept_key(const std::filesystem::path& path);
/// Replaces the file (mode 0600) at once and durably.
seal::Result<void> write_kept_key(const std::filesystem::path& path, const KeptKey& kept);
/// `from` takes the place of `to`, durably.
seal::Result<void> move_durably(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace pgveil::custody
