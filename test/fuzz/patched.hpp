#pragma once

#include "keyshare/core/bytes.hpp"

#include <cstddef>
#include <cstdint>

namespace pgveil::fuzz {

/// `sound` with some bytes replaced: of each three bytes of `patches` two name the place and one is
/// what stands there then. So a fuzzer starts from something sound and not from nothing.
inline core::Bytes patched(core::Bytes sound, core::ByteView patches) {
    constexpr std::size_t kPatchSize = 3;
    for (; patches.size() >= kPatchSize; patches = patches.subspan(kPatchSize)) {
        const std::size_t place = std::size_t{patches[0]} * 256 + patches[1];
        sound.at(place % sound.size()) = patches[2];
    }
    return sound;
}

}  // namespace pgveil::fuzz
