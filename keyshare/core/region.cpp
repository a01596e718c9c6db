#include "keyshare/core/region.hpp"

#include "keyshare/core/invariant.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace pgveil::core {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kMiB = std::size_t{1024} * 1024;

Error system_error(const std::string& what, int number) {
    return {ErrorCode::kMemory, what + ": " + std::generic_category().message(number)};
}

Error limit_error(std::size_t needed) {
    rlimit limit{};
    static_cast<void>(getrlimit(RLIMIT_MEMLOCK, &limit));
    const std::size_t mebibytes = (needed + kMiB - 1) / kMiB + 1;
    return {
        ErrorCode::kMemoryLimit,
        "the memory for keys cannot be locked: RLIMIT_MEMLOCK is " +
            std::to_string(limit.rlim_cur) + " bytes, " + std::to_string(needed) +
            " bytes are needed. Raise the limit (systemd unit: LimitMEMLOCK=" +
            std::to_string(mebibytes) + "M; shell: ulimit -l " + std::to_string(mebibytes * 1024) +
            "), choose a smaller arena, or ask for the memory mode \"unlocked\" by name, which "
            "lets keys reach swap"};
}

bool says_limit(int number) {
    return number == EAGAIN || number == ENOMEM || number == EPERM;
}

// Address space whose first and last page stay untouchable.
Result<MutableByteView> reserve_between_guards(std::size_t size) {
    const std::size_t whole = size + 2 * kPage;
    const int kind = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* at = mmap(nullptr, whole, PROT_NONE, kind, -1, 0);
    if (is_failed(at)) {
        return system_error("no address space for the key arena", errno);
    }
    return MutableByteView(static_cast<std::uint8_t*>(at), whole);
}

Result<Region> map_secret_file(int file, MutableByteView at) {
    if (ftruncate(file, static_cast<off_t>(at.size())) != 0) {
        return system_error("memfd_secret cannot be sized", errno);
    }
    const int rights = PROT_READ | PROT_WRITE;
    if (is_failed(mmap(at.data(), at.size(), rights, MAP_SHARED | MAP_FIXED, file, 0))) {
        return says_limit(errno) ? limit_error(at.size())
                                 : system_error("memfd_secret cannot be mapped", errno);
    }
    // MADV_WIPEONFORK is refused for shared mappings; without this a child would read the parent's
    // keys.
    if (madvise(at.data(), at.size(), MADV_DONTFORK) != 0) {
        return system_error("memfd_secret cannot be kept from children", errno);
    }
    return Region{at, ArenaMode::kMemfdSecret};
}

Result<Region> map_memfd_secret(MutableByteView at) {
#ifdef SYS_memfd_secret
    constexpr std::int64_t kCall = SYS_memfd_secret;
#else
    constexpr std::int64_t kCall = 447;  // the same number on every architecture that has it
#endif
    // The flag is O_CLOEXEC: FD_CLOEXEC, which the manual page names, is refused with EINVAL.
    // NOLINTNEXTLINE(*-vararg): the C library has no function for it
    const int file = static_cast<int>(syscall(kCall, O_CLOEXEC));
    if (file < 0) {
        return system_error("this kernel gives no memfd_secret (CONFIG_SECRETMEM)", errno);
    }
    auto mapped = map_secret_file(file, at);
    static_cast<void>(close(file));
    return mapped;
}

Result<Region> map_anonymous(MutableByteView at, ArenaMode mode) {
    const int kind = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (is_failed(mmap(at.data(), at.size(), PROT_READ | PROT_WRITE, kind, -1, 0))) {
        return system_error("the key arena cannot be mapped", errno);
    }
    if (madvise(at.data(), at.size(), MADV_DONTDUMP) != 0 ||
        madvise(at.data(), at.size(), MADV_WIPEONFORK) != 0) {
        return system_error("the key arena cannot be kept from core dumps and children", errno);
    }
    // mlock2 without flags is mlock, which the sanitizers replace by nothing.
    if (mode == ArenaMode::kMlock && mlock2(at.data(), at.size(), 0) != 0) {
        return says_limit(errno) ? limit_error(at.size())
                                 : system_error("the key arena cannot be locked", errno);
    }
    return Region{at, mode};
}

Result<Region> map_at(MutableByteView at, ArenaMode mode) {
    if (mode == ArenaMode::kMlock || mode == ArenaMode::kUnlocked) {
        return map_anonymous(at, mode);
    }
    auto secret = map_memfd_secret(at);
    const bool kernel_lacks_it =
        !secret.has_value() && secret.error().code != ErrorCode::kMemoryLimit;
    if (mode == ArenaMode::kAuto && kernel_lacks_it) {
        return map_anonymous(at, ArenaMode::kMlock);
    }
    return secret;
}

}  // namespace

bool is_failed(const void* mapped) noexcept {
    // NOLINTNEXTLINE(*-cstyle-cast,performance-no-int-to-ptr): the macro of mmap(2)
    return mapped == MAP_FAILED;
}

std::size_t round_to_pages(std::size_t size) noexcept {
    return (size + kPage - 1) / kPage * kPage;
}

Result<Region> map_region(ArenaMode mode, std::size_t size) {
    const std::size_t rounded = round_to_pages(size);
    if (size == 0 || rounded < size) {
        return Error{ErrorCode::kMemory, "the key arena needs a size of at least one byte"};
    }
    const auto reserved = reserve_between_guards(rounded);
    if (!reserved.has_value()) {
        return reserved.error();
    }
    auto mapped = map_at(reserved->subspan(kPage, rounded), mode);
    if (!mapped.has_value()) {
        static_cast<void>(munmap(reserved->data(), reserved->size()));
    }
    return mapped;
}

}  // namespace pgveil::core
