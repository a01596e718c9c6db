#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/error.hpp"
#include "keyshare/core/secret.hpp"

#include <cstddef>
#include <cstdint>

namespace pgveil::core {

/// PBKDF2-HMAC-SHA256 (RFC 8018 section 5.2). `iterations` from 1 to 10 000 000, `size` from 1 to
/// 1024 bytes; kParameter otherwise (both may come from a file). Seconds at the upper end: not for
/// an event loop.
Result<SecretBytes> pbkdf2_sha256(
    ByteView password, ByteView salt, std::uint32_t iterations, std::size_t size
);

/// scrypt's cost (RFC 7914): n a power of two above 1; memory is 128 * n * r bytes.
struct ScryptCost {
    std::uint64_t n = 1U << 17U;
    std::uint32_t r = 8;
    std::uint32_t p = 1;
};

/// Most memory one scrypt call may ask for, so that a crafted file cannot exhaust the machine.
inline constexpr std::uint64_t kScryptMaxMemory = std::uint64_t{1} << 30U;

/// scrypt (RFC 7914). kParameter when the cost is malformed or above kScryptMaxMemory, `p` above
/// 16, or `size` not from 1 to 1024. The scratch memory is wiped; it is locked only as far as
/// RLIMIT_MEMLOCK allows.
Result<SecretBytes> scrypt(
    ByteView password, ByteView salt, const ScryptCost& cost, std::size_t size
);

}  // namespace pgveil::core
