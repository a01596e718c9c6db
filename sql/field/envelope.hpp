#pragma once

#include "config/policy.hpp"
#include "keyshare/core/bytes.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace pgveil::field {

/// Envelope = version(1) scheme(1) key id(4, big endian) body. FORMATS.md, "Envelope".
inline constexpr std::uint8_t kEnvelopeVersion = 1;
inline constexpr std::size_t kEnvelopeHeaderSize = 6;
inline constexpr std::size_t kRandomizedOverhead = 46;  // header, nonce(24), tag(16)
inline constexpr std::size_t kEqualityOverhead = 22;    // header, siv(16)
inline constexpr std::size_t kPaddedOverhead = 50;      // as randomized, and a length(4)
inline constexpr std::size_t kOrderOverhead = 38;       // as equality, and the shortest tag(16)

enum class EnvelopeError { kTooShort, kUnknownVersion, kUnknownScheme };

/// A parsed envelope; `body` points into the parsed bytes.
struct EnvelopeView {
    config::Scheme scheme;
    std::uint32_t key_id;
    core::ByteView body;  // randomized, padded: nonce, ciphertext, tag; equality: siv, ciphertext;
                          // order: order tag, siv, ciphertext
};

/// Strict: version 1, a scheme of this version, at least the scheme's overhead.
boost::system::result<EnvelopeView, EnvelopeError> parse_envelope(core::ByteView bytes);

/// The bytes may be the beginning of an envelope: version 1 and a scheme of this version.
bool begins_envelope(core::ByteView bytes);

/// The six bytes that every envelope begins with.
void write_envelope_header(
    config::Scheme scheme, std::uint32_t key_id, std::span<std::uint8_t, kEnvelopeHeaderSize> out
);

/// What a sealed value adds to its plaintext, in bytes; without the zeros of a padded one; at least
/// so much of an ordered one.
std::size_t overhead_of(config::Scheme scheme);

}  // namespace pgveil::field
