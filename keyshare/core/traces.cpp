#include "keyshare/core/traces.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace pgveil::core {
namespace {

/// More than any call of nettle in this folder uses (250 bytes).
[[gnu::noinline]] void clear_stack() noexcept {
    constexpr std::size_t kUsedMax = 512;
    std::array<std::uint8_t, kUsedMax> below;
    explicit_bzero(below.data(), below.size());
}

}  // namespace

void clear_traces() noexcept {
#if defined(__x86_64__)
    asm volatile(
        "pxor %%xmm0, %%xmm0\n pxor %%xmm1, %%xmm1\n pxor %%xmm2, %%xmm2\n pxor %%xmm3, %%xmm3\n"
        "pxor %%xmm4, %%xmm4\n pxor %%xmm5, %%xmm5\n pxor %%xmm6, %%xmm6\n pxor %%xmm7, %%xmm7\n"
        "pxor %%xmm8, %%xmm8\n pxor %%xmm9, %%xmm9\n pxor %%xmm10, %%xmm10\n"
        "pxor %%xmm11, %%xmm11\n pxor %%xmm12, %%xmm12\n pxor %%xmm13, %%xmm13\n"
        "pxor %%xmm14, %%xmm14\n pxor %%xmm15, %%xmm15\n"
        :
        :
        : "xmm0",
          "xmm1",
          "xmm2",
          "xmm3",
          "xmm4",
          "xmm5",
          "xmm6",
          "xmm7",
          "xmm8",
          "xmm9",
          "xmm10",
          "xmm11",
          "xmm12",
          "xmm13",
          "xmm14",
          "xmm15"
    );
#endif
    clear_stack();
}

}  // namespace pgveil::core
