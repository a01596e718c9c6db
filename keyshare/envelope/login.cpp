#include "keyshare/envelope/login.hpp"

#include <chrono>
#include <pwd.h>
#include <unistd.h>

namespace pgveil::envelope {

std::int64_t seconds_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

std::string login_name() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    const passwd* const entry = ::getpwuid(::geteuid());
    return entry == nullptr ? std::to_string(::geteuid()) : entry->pw_name;
}

}  // namespace pgveil::envelope
