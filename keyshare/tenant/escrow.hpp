#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/envelope/header.hpp"
#include "keyshare/tenant/home_state.hpp"
#include "keyshare/user/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace pgveil::tenant {

/// What holders are asked for when a home is recovered: the purpose in the policy of every escrow
/// file.
inline constexpr const char* kRecoverPurpose = "recover";

/// A home sealed to the public key of a group (docs/FORMATS.md, chapter 9), of which public means
/// have shown that it is whole: its header, and how long its chunks are. Whether it opens, and to
/// what, only the holders' answers show.
struct EscrowFile {
    envelope::Header header;
    core::Bytes bytes;  ///< all of it, the header too
    std::size_t content_size = 0;
};

/// The bytes of an escrow file, which were opened again with the key that they were sealed with.
/// The policy's purpose is made kRecoverPurpose. Needs nothing but the public key.
Result<core::Bytes> seal_home(
    const HomeState& state,
    const core::PublicPoint& group_key,
    envelope::Policy policy,
    core::RandomSource& random
);

/// Fails, naming what is wrong, for anything that is no whole escrow file.
Result<EscrowFile> parse_escrow(core::Bytes bytes);
Result<EscrowFile> read_escrow(const std::string& path);

Result<HomeState> open_escrow(const EscrowFile& escrow, const envelope::BodyKey& key);

/// What a home says about its last escrow: which file, and what state of the home is in it. Signed
/// by the tenant's key, so that it cannot be put together for another file.
struct EscrowNote {
    std::string tenant;
    std::string file;  ///< absolute path at the time
    core::Sha256Digest file_digest{};
    core::Sha256Digest state_digest{};
    core::PublicPoint group_key;
    std::int64_t made_at_s = 0;
};

/// Of all that is in the home; secret bytes of high entropy go in, so that it tells nothing.
core::Sha256Digest digest_of(const HomeState& state);

EscrowNote note_on(
    const HomeState& state,
    const std::string& file,
    core::ByteView bytes,
    const core::PublicPoint& group_key,
    std::int64_t now_s
);

core::Bytes sign_note(const EscrowNote& note, const core::SigningKey& key);
/// Fails for a note of another version, of another tenant, or not signed by this key.
Result<EscrowNote> parse_note(
    core::ByteView bytes, const core::VerifyingKey& key, const std::string& tenant
);

/// The file `escrow` in the home's directory, replaced atomically. Missing: nothing was escrowed.
Result<void> save_note(
    const std::string& directory, const HomeState& state, const EscrowNote& note
);
Result<std::optional<EscrowNote>> read_note(const std::string& directory, const HomeState& state);

/// "escrow: ..." for `show`: when, where, and whether the home has changed since then.
std::string escrow_line(const std::string& directory, const HomeState& state);

}  // namespace pgveil::tenant
