#pragma once

namespace pgveil::core {

/// Clears the vector registers (x86-64; elsewhere nothing of them) and 512 bytes of the stack below
/// the caller: for functions that work on secrets there, or call libraries that do, to call last.
void clear_traces() noexcept;

}  // namespace pgveil::core
