#pragma once

#include "keyshare/core/password.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/user/error.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace pgveil::tenant {

using user::Result;

/// Cost of the home's passphrase: scrypt with r = 8, p = 1 and this N (128 MiB, about half a
/// second).
inline constexpr unsigned kScryptLogN = 17;

/// Bounds of log2 N that are read. Below kScryptLogN only tests write.
inline constexpr unsigned kScryptLogNMin = 4;
inline constexpr unsigned kScryptLogNMax = 20;

/// The key that closes a home, derived once per run. It lives as long as the program needs to
/// write.
class HomeKey {
public:
    /// For a new home or a new passphrase: fresh salt. The cost must lie within the bounds.
    static Result<HomeKey> fresh(
        const core::SecretBytes& passphrase, unsigned log_n, core::RandomSource& random
    );

    /// The key of an existing home file; fails when the bytes are no home file of this version.
    static Result<HomeKey> of_file(const core::SecretBytes& passphrase, core::ByteView file);

    /// The whole file: title(20) || log2 N(1) || salt(16), then XAES-256-GCM with these bytes as
    /// associated data (docs/FORMATS.md). A fresh nonce each time.
    core::Bytes seal(core::ByteView state, core::RandomSource& random) const;

    /// One message for a wrong passphrase and an altered file, which cannot be told apart.
    Result<core::SecretBytes> open(core::ByteView file) const;

private:
    static constexpr std::size_t kSaltSize = 16;
    using Salt = std::array<std::uint8_t, kSaltSize>;

    HomeKey(core::SecretBytes key, unsigned log_n, Salt salt)
        : key_(std::move(key)), log_n_(log_n), salt_(salt) {}

    static Result<HomeKey> derived(
        const core::SecretBytes& passphrase, unsigned log_n, const Salt& salt
    );

    core::Bytes head() const;

    core::SecretBytes key_;
    unsigned log_n_;
    Salt salt_;
};

}  // namespace pgveil::tenant
