#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace pgveil::quorum {

/// COCKTAIL counts in little endian inside what it hashes.
template <std::size_t Size>
constexpr std::array<std::uint8_t, Size> little_endian(std::uint64_t value) noexcept {
    std::array<std::uint8_t, Size> out{};
    for (std::uint8_t& byte : out) {
        byte = static_cast<std::uint8_t>(value & 0xFFU);
        value >>= 8U;
    }
    return out;
}

constexpr std::array<std::uint8_t, 4> little_endian32(std::uint32_t value) noexcept {
    return little_endian<4>(value);
}

constexpr std::array<std::uint8_t, 8> little_endian64(std::uint64_t value) noexcept {
    return little_endian<8>(value);
}

}  // namespace pgveil::quorum
