#pragma once

#include "keyshare/core/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::core {

/// Bytes that are not secret: ciphertexts, nonces, public keys, associated data.
using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableByteView = std::span<std::uint8_t>;

/// The bytes of `text`; the view lives as long as the text.
ByteView as_bytes(std::string_view text) noexcept;

/// The same bytes as characters; the view lives as long as the bytes. Promises no encoding.
std::string_view as_text(ByteView bytes) noexcept;

Bytes to_bytes(ByteView view);

void append(Bytes& to, ByteView more);

/// Lower-case hexadecimal, two digits per byte.
std::string to_hex(ByteView bytes);

/// Strict: an even number of lower-case digits, nothing else; kEncoding otherwise.
Result<Bytes> from_hex(std::string_view hex);

/// Big-endian forms of integers, most significant byte first.
std::array<std::uint8_t, 2> big_endian16(std::uint16_t value) noexcept;
std::array<std::uint8_t, 4> big_endian32(std::uint32_t value) noexcept;
std::array<std::uint8_t, 8> big_endian64(std::uint64_t value) noexcept;

/// Reads the first 2, 4 or 8 bytes; the view must be at least that long (invariant).
std::uint16_t read_big_endian16(ByteView bytes) noexcept;
std::uint32_t read_big_endian32(ByteView bytes) noexcept;
std::uint64_t read_big_endian64(ByteView bytes) noexcept;

}  // namespace pgveil::core
