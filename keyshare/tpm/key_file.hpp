#pragma once

#include "keyshare/seal/error.hpp"
#include "keyshare/tpm/tpm.hpp"

#include <cstdint>
#include <filesystem>

namespace pgveil::tpm {

/// A sealed store key as it lies on the disk. Nothing in it is secret.
struct KeptKey {
    attest::Name storage_root{};  ///< of the TPM that sealed it
    std::uint32_t counter = 0;
    std::uint64_t generation = 0;
    SealedSecret sealed;
};

core::Bytes to_bytes(const KeptKey& kept);
/// Strict. Never throws on any bytes.
seal::Result<KeptKey> parse_kept_key(core::ByteView bytes);

seal::Result<KeptKey> read_kept_key(const std::filesystem::path& path);
/// Replaces the file (mode 0600) at once and durably.
seal::Result<void> write_kept_key(const std::filesystem::path& path, const KeptKey& kept);
/// `from` takes the place of `to`, durably.
seal::Result<void> move_durably(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace pgveil::tpm
