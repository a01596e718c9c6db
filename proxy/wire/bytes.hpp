#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace pgveil::wire {

/// Bytes of somebody else's buffer. Every view that a decoder of this folder returns points into
/// the bytes it was given and lives exactly as long as they do.
using ByteView = std::span<const std::uint8_t>;

std::string_view as_text(ByteView bytes) noexcept;
ByteView as_bytes(std::string_view text) noexcept;

}  // namespace pgveil::wire
