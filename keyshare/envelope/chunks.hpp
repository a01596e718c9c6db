#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/xaes.hpp"
#include "keyshare/envelope/header.hpp"

#include <cstddef>
#include <cstdint>

namespace pgveil::envelope {

/// Plaintext bytes of every chunk but the last, which has 1 to as many, or none if it is the only
/// one.
inline constexpr std::size_t kChunkSize = std::size_t{64} * 1024;
inline constexpr std::size_t kSealedChunkSize = kChunkSize + core::kXaesTagSize;
/// 256 TiB: far below what AES-GCM allows under one key.
inline constexpr std::uint64_t kChunksMax = std::uint64_t{1} << 32U;

/// The chunks of one body in order: XAES-256-GCM in the STREAM construction (Hoang, Reyhanitabar,
/// Rogaway, Vizár 2015). Number and "last" stand in the nonce, the MAC of the header in the
/// associated data: so a chunk fits in one place of one file only. Holds the key's schedule as long
/// as it lives. One thread.
class Chunks {
public:
    enum class Place : std::uint8_t { kMore = 0, kLast = 1 };

    Chunks(const BodyKey& key, const Header& header);

    /// Number of the next chunk, from 0.
    std::uint64_t next() const { return next_; }

    /// Seals the next chunk into plaintext.size() + 16 bytes (invariant).
    void seal(core::ByteView plaintext, Place place, core::MutableByteView out);

    /// Opens the next chunk into sealed.size() - 16 bytes (invariant). False: it does not fit,
    /// `out` is wiped, and the same number is still next.
    [[nodiscard]] bool open(core::ByteView sealed, Place place, core::MutableByteView out);

private:
    core::XaesNonce nonce(Place place) const;

    core::Xaes256Gcm cipher_;
    core::Bytes associated_;
    NoncePrefix prefix_;
    std::uint64_t next_ = 0;
};

}  // namespace pgveil::envelope
