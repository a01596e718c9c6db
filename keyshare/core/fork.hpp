#pragma once

#include <cstdint>

namespace pgveil::core {

/// How many forks lie between the first call in the process tree and this process. State that a
/// child must not use (a random batch, the arena) remembers the number it was made under. Cheap;
/// any thread.
std::uint64_t fork_generation() noexcept;

}  // namespace pgveil::core
