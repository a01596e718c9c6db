#pragma once

#include "keyshare/user/error.hpp"

#include <cstddef>

namespace pgveil::user {

/// The first thing in main of a role program, before libcrypto allocates: puts secrets and
/// libcrypto into the locked arena and forbids core dumps. The environment variable PGVEIL_MEMORY
/// chooses the arena: auto (default), memfd_secret, mlock, or, for machines that allow no locked
/// memory, unlocked, which may reach swap.
/// @param arena_bytes size of the arena; 0: the default of core::ArenaOptions
Result<void> guard_process(std::size_t arena_bytes = 0);

/// PGVEIL_MEMORY in words for --help.
inline constexpr const char* kMemoryHelp =
    "Environment: PGVEIL_MEMORY = auto | memfd_secret | mlock | unlocked (may reach swap).";

}  // namespace pgveil::user
