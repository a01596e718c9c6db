#pragma once

#include "keyshare/core/arena.hpp"
#include "keyshare/core/bytes.hpp"
#include "keyshare/core/error.hpp"

#include <cstddef>

namespace pgveil::core {

struct Region {
    MutableByteView bytes;
    ArenaMode mode = ArenaMode::kUnlocked;  ///< the mode taken, never kAuto
};

/// Rounded up to whole pages; smaller than `size` on overflow.
std::size_t round_to_pages(std::size_t size) noexcept;

/// True for the value by which mmap(2) says that it failed.
bool is_failed(const void* mapped) noexcept;

/// Maps `size` bytes (rounded up) of zeroed memory in the mode asked for, between two pages that
/// nobody may touch, kept out of core dumps and of forked children. Errors as install_arena().
Result<Region> map_region(ArenaMode mode, std::size_t size);

}  // namespace pgveil::core
