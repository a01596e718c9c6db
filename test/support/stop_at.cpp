#include "test/support/stop_at.hpp"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace pgveil::test {
namespace {

StopAt* shared_or_own() {
    static StopAt own{};
    const char* path = std::getenv("PGVEIL_STOP_AT");  // NOLINT(concurrency-mt-unsafe)
    if (path == nullptr) {
        return &own;
    }
    const int descriptor = ::open(path, O_RDWR | O_CLOEXEC);
    void* page = ::mmap(nullptr, sizeof(StopAt), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    ::close(descriptor);
    return page == MAP_FAILED ? &own : static_cast<StopAt*>(page);
}

// Messages for people are no step.
constexpr int kLastStandardStream = STDERR_FILENO;

void count_call();

// A write into a file that nobody waits for: no step of its own when few steps are wanted.
void count_write() {
    if (stop_at().coarse.load() == 0) {
        count_call();
    }
}

void count_call() {
    StopAt& state = stop_at();
    const std::int64_t limit = state.limit.load();
    if (state.made.fetch_add(1) + 1 == limit) {
        ::syscall(SYS_kill, ::getpid(), SIGKILL);
    }
}

}  // namespace

StopAt& stop_at() {
    static StopAt* const state = shared_or_own();
    return *state;
}

}  // namespace pgveil::test

// The C library's functions of these names, replaced for the whole process.
extern "C" {

ssize_t write(int descriptor, const void* bytes, size_t size) {
    if (descriptor > pgveil::test::kLastStandardStream) {
        pgveil::test::count_write();
    }
    return ::syscall(SYS_write, descriptor, bytes, size);
}

ssize_t writev(int descriptor, const struct iovec* parts, int count) {
    if (descriptor > pgveil::test::kLastStandardStream) {
        pgveil::test::count_write();
    }
    return ::syscall(SYS_writev, descriptor, parts, count);
}

ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off64_t at) {
    pgveil::test::count_write();
    return ::syscall(SYS_pwrite64, descriptor, bytes, size, at);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t at) {
    return pwrite64(descriptor, bytes, size, at);
}

int fsync(int descriptor) {
    pgveil::test::count_call();
    return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

int fdatasync(int descriptor) {
    pgveil::test::count_call();
    return static_cast<int>(::syscall(SYS_fdatasync, descriptor));
}

int ftruncate64(int descriptor, off64_t size) noexcept {
    pgveil::test::count_call();
    return static_cast<int>(::syscall(SYS_ftruncate, descriptor, size));
}

int ftruncate(int descriptor, off_t size) noexcept {
    return ftruncate64(descriptor, size);
}

int rename(const char* from, const char* to) noexcept {
    pgveil::test::count_call();
    return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int link(const char* from, const char* to) noexcept {
    pgveil::test::count_call();
    return static_cast<int>(::syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int unlink(const char* path) noexcept {
    pgveil::test::count_call();
    return static_cast<int>(::syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

ssize_t send(int descriptor, const void* bytes, size_t size, int flags) {
    pgveil::test::count_call();
    return ::syscall(SYS_sendto, descriptor, bytes, size, flags, nullptr, 0);
}

ssize_t sendmsg(int descriptor, const struct msghdr* message, int flags) {
    pgveil::test::count_call();
    return ::syscall(SYS_sendmsg, descriptor, message, flags);
}
}
