#include "net/service_manager.hpp"

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace pgveil::net {

namespace {

/// SD_LISTEN_FDS_START of sd_listen_fds(3).
constexpr int kFirstDescriptor = 3;
constexpr int kDescriptorsMax = 64;

std::string_view variable(const char* name) noexcept {
    const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): main thread
    return value == nullptr ? std::string_view() : std::string_view(value);
}

std::optional<long> number(std::string_view text) noexcept {
    long value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() ? std::optional(value)
                                                                           : std::nullopt;
}

int option(int descriptor, int name) noexcept {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

bool listens(int descriptor) noexcept {
    const int family = option(descriptor, SO_DOMAIN);
    return option(descriptor, SO_ACCEPTCONN) == 1 && option(descriptor, SO_TYPE) == SOCK_STREAM &&
           (family == AF_INET || family == AF_INET6);
}

bool prepare(int descriptor) noexcept {
    const int status = ::fcntl(descriptor, F_GETFL);
    return status >= 0 && ::fcntl(descriptor, F_SETFL, status | O_NONBLOCK) == 0 &&
           ::fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0;
}

/// How many descriptors are meant for this process.
int inherited_count() noexcept {
    if (number(variable("LISTEN_PID")) != static_cast<long>(::getpid())) {
        return 0;
    }
    const long count = number(variable("LISTEN_FDS")).value_or(0);
    return count > 0 && count <= kDescriptorsMax ? static_cast<int>(count) : 0;
}

}  // namespace

void notify_service_manager(std::string_view lines) noexcept {
    const std::string_view path = variable("NOTIFY_SOCKET");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() < 2 || path.size() > sizeof address.sun_path) {
        return;
    }
    path.copy(static_cast<char*>(address.sun_path), path.size());
    if (path.front() == '@') {
        address.sun_path[0] = '\0';  // an abstract name (unix(7))
    }
    const Socket socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets interface
    const auto* const to = reinterpret_cast<const sockaddr*>(&address);
    static_cast<void>(
        ::sendto(socket.descriptor(), lines.data(), lines.size(), MSG_NOSIGNAL, to, size)
    );
}

void notify_reloading() noexcept {
    constexpr long kNanosecondsPerMicrosecond = 1000;
    constexpr long kMicrosecondsPerSecond = 1000000;
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const long now_us =
        now.tv_sec * kMicrosecondsPerSecond + now.tv_nsec / kNanosecondsPerMicrosecond;
    notify_service_manager("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now_us));
}

Result<std::vector<Socket>> inherited_listeners() {
    std::vector<Socket> sockets;
    for (int index = 0; index < inherited_count(); ++index) {
        const int descriptor = kFirstDescriptor + index;
        if (!listens(descriptor) || !prepare(descriptor)) {
            return Error(
                ErrorCode::kListen,
                "descriptor " + std::to_string(descriptor) +
                    ", which LISTEN_FDS hands over, is no listening TCP socket: the socket unit "
                    "needs ListenStream= with a port"
            );
        }
        sockets.emplace_back(descriptor);
    }
    return sockets;
}

}  // namespace pgveil::net
