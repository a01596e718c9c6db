#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/share/token.hpp"
#include "keyshare/user/error.hpp"

#include <cstdint>
#include <string>

namespace pgveil::user {

/// Cost of the passphrase: PBKDF2-HMAC-SHA256 rounds, because a browser must open the file too.
inline constexpr std::uint32_t kUserFileIterations = 600'000;

/// Largest `.user` file that is looked at, in bytes.
inline constexpr std::size_t kUserFileSizeMax = std::size_t{64} * 1024;

/// How a user file is closed. Without a passphrase the file *is* the share: for service accounts
/// whose machine guards it.
struct UserFileLock {
    const core::SecretBytes* passphrase = nullptr;
    std::uint32_t iterations = kUserFileIterations;
};

/// The whole text of a `.user` file (docs/FORMATS.md): readable head, then the key, sealed by
/// XAES-256-GCM under PBKDF2(passphrase, fresh salt) with the head as associated data. Secret
/// memory, because without a passphrase the key stands in it as it is. Fails only on a cost out of
/// bounds.
Result<core::SecretBytes> write_user_file(
    const share::UserKey& key, const UserFileLock& lock, core::RandomSource& random
);

/// A `.user` file that was read but not opened. Move-only, one thread.
class UserFile {
public:
    /// Strict: one canonical text per file. `name` is for messages.
    static Result<UserFile> parse(core::ByteView text, std::string name);

    /// What the head claims; trusted only once open() has succeeded.
    const std::string& user_id() const { return user_id_; }

    bool needs_passphrase() const { return iterations_ > 0; }

    /// The key. Fails with one message for a wrong passphrase and an altered file, which cannot be
    /// told apart. `passphrase` may be null only where none is needed.
    Result<share::UserKey> open(const core::SecretBytes* passphrase) const;

private:
    UserFile() = default;

    Result<core::SecretBytes> unlocked(const core::SecretBytes* passphrase) const;

    std::string name_;
    std::string head_;  ///< every byte before the key: the associated data
    std::string tenant_;
    std::string user_id_;
    std::string proxy_;
    std::uint32_t iterations_ = 0;  ///< 0: no passphrase
    core::Bytes salt_;
    core::SecretBytes key_;  ///< sealed, or as it is
};

}  // namespace pgveil::user
