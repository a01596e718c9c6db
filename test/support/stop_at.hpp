#pragma once

#include <atomic>
#include <cstdint>

/// Kills a process (SIGKILL to itself) right before its n-th system call that leaves a trace: in a
/// file, in a folder, or at a peer. So a test can sweep every step of an operation, in order,
/// without a debugger and without waiting. Linked into a program, or preloaded into one as
/// libstop_at.so with PGVEIL_STOP_AT naming a file that holds this struct.
namespace pgveil::test {

struct StopAt {
    std::atomic<std::int64_t> made;   ///< calls so far
    std::atomic<std::int64_t> limit;  ///< the call that is not made any more; 0: none
    std::atomic<std::int64_t>
        coarse;  ///< not 0: writes into files do not count, only what makes them last
};

StopAt& stop_at();

}  // namespace pgveil::test
