#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/secret.hpp"

#include <cstddef>

namespace pgveil::core {

/// RFC 5869 section 2.3: at most 255 blocks.
inline constexpr std::size_t kHkdfMaxSize = 255 * kSha256Size;

/// HKDF-SHA256 (RFC 5869), extract and expand. An empty salt is 32 zero bytes. `size` from 1 to
/// kHkdfMaxSize (invariant). The input key must have the entropy; HKDF adds none (passwords:
/// password.hpp).
SecretBytes hkdf_sha256(ByteView key, ByteView salt, ByteView info, std::size_t size);

/// The house form HKDF(key, info): empty salt, 32 bytes unless said.
SecretBytes hkdf_sha256(ByteView key, ByteView info, std::size_t size = kSha256Size);

/// The same straight into a role: `derive<ColumnKey>(dek.reveal(), info)`.
template <class SecretType>
SecretType derive(ByteView key, ByteView info) {
    static_assert(SecretType::kSize >= 1 && SecretType::kSize <= kHkdfMaxSize);
    auto made = SecretType::from(hkdf_sha256(key, info, SecretType::kSize));
    invariant(made.has_value(), "HKDF gives the size asked for");
    return *std::move(made);
}

/// The two halves of RFC 5869, for HPKE and for key schedules of our own.
SecretBytes hkdf_extract_sha256(ByteView salt, ByteView input);
SecretBytes hkdf_expand_sha256(ByteView pseudorandom_key, ByteView info, std::size_t size);

/// An input key of which several keys are made: expand() gives what hkdf_sha256(key, info, size)
/// gives, but the extraction is done once.
class ExtractedKey {
public:
    explicit ExtractedKey(ByteView key);

    SecretBytes expand(ByteView info, std::size_t size = kSha256Size) const;

private:
    SecretBytes pseudorandom_key_;
};

}  // namespace pgveil::core
