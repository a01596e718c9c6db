// The clock of the calendar, moved: a library to preload. PGVEIL_CLOCK_SHIFT names a file of eight
// bytes that holds the shift in seconds; who writes into it moves the clock of a running program.
// The monotonic clock stays as it is.

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace pgveil::test {
namespace {

using Shift = std::atomic<std::int64_t>;

Shift* shared_or_none() {
    static Shift none{0};
    const char* path = std::getenv("PGVEIL_CLOCK_SHIFT");  // NOLINT(concurrency-mt-unsafe)
    const int descriptor = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return &none;
    }
    void* page = ::mmap(nullptr, sizeof(Shift), PROT_READ, MAP_SHARED, descriptor, 0);
    ::close(descriptor);
    return page == MAP_FAILED ? &none : static_cast<Shift*>(page);
}

std::int64_t shift_s() {
    static Shift* const shift = shared_or_none();
    return shift->load();
}

}  // namespace
}  // namespace pgveil::test

// The C library's functions of these names, replaced for the whole process.
extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
    const auto result = static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
    if (result == 0 && clock == CLOCK_REALTIME) {
        now->tv_sec += pgveil::test::shift_s();
    }
    return result;
}

time_t time(time_t* seconds) noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if (seconds != nullptr) {
        *seconds = now.tv_sec;
    }
    return now.tv_sec;
}
}
