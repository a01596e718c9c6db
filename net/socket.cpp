#include "net/socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

namespace pgveil::net {

namespace {

constexpr int kKeepaliveIdleSeconds = 60;
constexpr int kKeepaliveIntervalSeconds = 15;
constexpr int kKeepaliveProbes = 4;
constexpr int kUserTimeoutMs = 120000;
constexpr std::size_t kPiecesMax = 16;

void set_option(int descriptor, int level, int name, int value) noexcept {
    ::setsockopt(descriptor, level, name, &value, sizeof value);
}

template <class Call>
ssize_t repeat_when_interrupted(Call call) noexcept {
    ssize_t result = call();
    while (result < 0 && errno == EINTR) {
        result = call();
    }
    return result;
}

}  // namespace

Socket::Socket(int descriptor, std::string peer_address, bool connecting) noexcept
    : descriptor_(descriptor), can_write_(!connecting), peer_address_(std::move(peer_address)) {}

Socket::Socket(Socket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      can_read_(other.can_read_),
      can_write_(other.can_write_),
      hung_up_(other.hung_up_),
      error_(other.error_),
      peer_address_(std::move(other.peer_address_)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
    if (this != &other) {
        close();
        descriptor_ = std::exchange(other.descriptor_, -1);
        can_read_ = other.can_read_;
        can_write_ = other.can_write_;
        hung_up_ = other.hung_up_;
        error_ = other.error_;
        peer_address_ = std::move(other.peer_address_);
    }
    return *this;
}

void Socket::note_events(std::uint32_t events) noexcept {
    constexpr std::uint32_t kGone = EPOLLERR | EPOLLHUP;
    hung_up_ = hung_up_ || (events & (kGone | EPOLLRDHUP)) != 0;
    can_read_ = can_read_ || hung_up_ || (events & EPOLLIN) != 0;
    can_write_ = can_write_ || (events & (kGone | EPOLLOUT)) != 0;
}

IoResult Socket::receive(std::span<std::uint8_t> space) noexcept {
    if (!can_read_ || space.empty()) {
        return {};
    }
    const ssize_t count =
        repeat_when_interrupted([&] { return ::recv(descriptor_, space.data(), space.size(), 0); });
    if (count < 0) {
        can_read_ = false;
        return failed(errno);
    }
    if (count == 0) {
        return {.status = IoStatus::kEnd, .bytes = 0};
    }
    const auto bytes = static_cast<std::size_t>(count);
    // Edge-triggered epoll reports again when more comes after a read that came back short; what
    // has been reported already (the end of input) must be fetched without a new report.
    can_read_ = bytes == space.size() || hung_up_;
    return {.status = IoStatus::kDone, .bytes = bytes};
}

IoResult Socket::peek(std::span<std::uint8_t> space) noexcept {
    if (!can_read_) {
        return {};
    }
    const ssize_t count = repeat_when_interrupted([&] {
        return ::recv(descriptor_, space.data(), space.size(), MSG_PEEK);
    });
    if (count < 0) {
        can_read_ = false;
        return failed(errno);
    }
    const IoStatus status = count == 0 ? IoStatus::kEnd : IoStatus::kDone;
    return {.status = status, .bytes = static_cast<std::size_t>(count)};
}

IoResult Socket::sent(ssize_t count, std::size_t size) noexcept {
    if (count < 0) {
        can_write_ = false;
        return failed(errno);
    }
    const auto bytes = static_cast<std::size_t>(count);
    can_write_ = bytes == size;
    return {.status = IoStatus::kDone, .bytes = bytes};
}

IoResult Socket::send(ByteView bytes) noexcept {
    if (!can_write_ || bytes.empty()) {
        return {};
    }
    const ssize_t count = repeat_when_interrupted([&] {
        return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    });
    return sent(count, bytes.size());
}

IoResult Socket::send(std::span<const ByteView> pieces) noexcept {
    if (!can_write_) {
        return {};
    }
    std::array<iovec, kPiecesMax> vectors{};
    const std::size_t used = std::min(pieces.size(), kPiecesMax);
    std::size_t size = 0;
    for (std::size_t i = 0; i < used; ++i) {
        // sendmsg takes a pointer to non-const and does not write through it.
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
        vectors[i].iov_base = const_cast<std::uint8_t*>(pieces[i].data());
        vectors[i].iov_len = pieces[i].size();
        size += pieces[i].size();
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = used;
    const ssize_t count =
        repeat_when_interrupted([&] { return ::sendmsg(descriptor_, &message, MSG_NOSIGNAL); });
    return sent(count, size);
}

IoResult Socket::failed(int number) noexcept {
    if (number == EAGAIN) {
        return {};
    }
    error_ = error_code(number, boost::system::system_category());
    return {.status = IoStatus::kFailed, .bytes = 0};
}

error_code Socket::take_connect_error() noexcept {
    int number = 0;
    socklen_t size = sizeof number;
    if (::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &number, &size) != 0) {
        number = errno;
    }
    return {number, boost::system::system_category()};
}

bool Socket::is_local() const noexcept {
    int domain = AF_UNSPEC;
    socklen_t size = sizeof domain;
    return ::getsockopt(descriptor_, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
           domain == AF_UNIX;
}

void Socket::set_options() noexcept {
    set_option(descriptor_, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(descriptor_, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(descriptor_, IPPROTO_TCP, TCP_KEEPIDLE, kKeepaliveIdleSeconds);
    set_option(descriptor_, IPPROTO_TCP, TCP_KEEPINTVL, kKeepaliveIntervalSeconds);
    set_option(descriptor_, IPPROTO_TCP, TCP_KEEPCNT, kKeepaliveProbes);
    set_option(descriptor_, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
}

void Socket::set_keepalive(std::chrono::milliseconds silence) noexcept {
    const int seconds = static_cast<int>(std::chrono::ceil<std::chrono::seconds>(silence).count());
    set_option(descriptor_, SOL_SOCKET, SO_KEEPALIVE, seconds > 0 ? 1 : 0);
    set_option(descriptor_, IPPROTO_TCP, TCP_USER_TIMEOUT, 2 * static_cast<int>(silence.count()));
    if (seconds > 0) {
        set_option(descriptor_, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
        const int interval = std::max(1, seconds / kKeepaliveProbes);
        set_option(descriptor_, IPPROTO_TCP, TCP_KEEPINTVL, interval);
    }
}

void Socket::shutdown_output() noexcept {
    ::shutdown(descriptor_, SHUT_WR);
}

void Socket::close() noexcept {
    if (descriptor_ >= 0) {
        ::close(std::exchange(descriptor_, -1));
    }
    can_read_ = false;
    can_write_ = false;
}

}  // namespace pgveil::net
