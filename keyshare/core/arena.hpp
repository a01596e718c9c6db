#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/error.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace pgveil::core {

enum class ArenaMode {
    kAuto,         ///< memfd_secret where the kernel has it, else mlock
    kMemfdSecret,  ///< not readable even by root through /proc/PID/mem; fails where the kernel
                   ///< lacks it
    kMlock,        ///< mmap + mlock + MADV_DONTDUMP + MADV_WIPEONFORK
    kUnlocked,     ///< may reach swap; only when asked for by name, and shown by the caller in its
                   ///< state
};

/// "auto", "memfd_secret", "mlock", "unlocked".
std::string name_of(ArenaMode mode);

struct ArenaOptions {
    ArenaMode mode = ArenaMode::kAuto;
    /// Bytes of the region, rounded up to pages. The default leaves room below the usual
    /// RLIMIT_MEMLOCK of 8 MiB.
    std::size_t size = std::size_t{6} * 1024 * 1024;
};

/// What the arena is and how full it is, at one moment.
struct ArenaReport {
    ArenaMode mode = ArenaMode::kUnlocked;  ///< the mode taken, never kAuto
    bool installed = false;                 ///< false: plain heap, still wiped
    std::size_t size = 0;                   ///< bytes of the region
    std::size_t in_use = 0;  ///< bytes of live blocks in the region, rounded up to their size class
    std::size_t claimed = 0;  ///< bytes of pages taken from the region (in_use and holes between)
    std::size_t large = 0;    ///< bytes of live blocks above kLargeBlock, outside the region
    std::size_t large_unlocked = 0;  ///< how many of them the kernel would not lock
    std::size_t refused = 0;         ///< allocations that found no room since the start
};

/// Blocks above this size (scrypt's scratch memory, huge column values; never a key) get a mapping
/// of their own: locked where RLIMIT_MEMLOCK allows it, never in a core dump, wiped on fork and on
/// free.
inline constexpr std::size_t kLargeBlock = std::size_t{64} * 1024;

/// Makes the arena and puts all of libcrypto and libssl into it (CRYPTO_set_mem_functions).
///
/// Call it once, as the first thing of main: kMemory when libcrypto has already allocated, or when
/// called twice. kMemoryLimit when RLIMIT_MEMLOCK is too small; its message names the limit, the
/// bytes needed and the systemd line. The arena lives until the process ends. A forked child finds
/// it gone (memfd_secret) or zeroed (mlock): a child must exec or _exit and never call libcrypto.
Result<ArenaReport> install_arena(const ArenaOptions& options);

/// Any thread.
ArenaReport arena_report();

/// Calls `visit` with every writable region the arena owns, so that a scan for secrets can be made
/// inside the process (memfd_secret is invisible from outside). `visit` must not allocate or free
/// arena memory. Other threads may write meanwhile: for tests and self-checks only.
void for_each_region(const std::function<void(ByteView)>& visit);

/// RLIMIT_CORE 0 (hard and soft). kProcess when the kernel refuses.
Result<void> forbid_core_files();

/// PR_SET_DUMPABLE 0: the same user cannot ptrace or open /proc/PID/mem; root still can. kProcess
/// when refused.
Result<void> forbid_attaching();

/// Both of the above.
Result<void> disable_core_dumps();

/// The allocator itself, for the secret types. Zeroed, 16-byte aligned; nullptr when there is no
/// room (or size is 0). The last sixteenth of the region is left to libcrypto. Plain heap while no
/// arena is installed. Any thread.
void* allocate_secret(std::size_t size) noexcept;

/// Wipes the block, then gives it back. `size` as allocated; `block` may be nullptr. Any thread.
void free_secret(void* block, std::size_t size) noexcept;

}  // namespace pgveil::core
