#include "net/listener.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <utility>

namespace pgveil::net {

namespace {

constexpr int kBacklog = 1024;

/// Out of descriptors or memory: look again later instead of spinning.
constexpr Duration kRetryAfter{100};

/// So many accepts in a row before the loop serves others.
constexpr int kAcceptsMax = 16;

Error listen_error(const Address& address, int number) {
    const std::string where = address.host + ":" + std::to_string(address.port);
    return {
        ErrorCode::kListen,
        "cannot listen on " + where + ": " + std::generic_category().message(number)};
}

void set_flag(int descriptor, int level, int name, int value) noexcept {
    ::setsockopt(descriptor, level, name, &value, sizeof value);
}

/// Listening on one endpoint; errno tells why there is none.
Socket try_listen(const Endpoint& endpoint, bool shared) {
    const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    Socket socket(::socket(endpoint.family(), type, 0));
    const int descriptor = socket.descriptor();
    if (descriptor < 0) {
        return {};
    }
    set_flag(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    set_flag(descriptor, SOL_SOCKET, SO_REUSEPORT, shared ? 1 : 0);
    if (endpoint.family() == AF_INET6) {
        set_flag(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    }
    const auto size = static_cast<socklen_t>(endpoint.socket_address.size());
    if (::bind(descriptor, endpoint.native(), size) != 0 || ::listen(descriptor, kBacklog) != 0) {
        return {};
    }
    return socket;
}

/// "*" resolves to 0.0.0.0 and ::; the second takes both where the machine has IPv6 at all.
std::vector<Endpoint> preferred_first(std::vector<Endpoint> endpoints, const Address& address) {
    if (address.host == "*") {
        std::stable_partition(endpoints.begin(), endpoints.end(), [](const Endpoint& endpoint) {
            return endpoint.family() == AF_INET6;
        });
    }
    return endpoints;
}

Result<Socket> listen_on(const Address& address, bool shared) {
    auto endpoints = look_up(address, false);
    if (!endpoints.has_value()) {
        return endpoints.error();
    }
    int number = EADDRNOTAVAIL;
    for (const Endpoint& endpoint : preferred_first(*std::move(endpoints), address)) {
        Socket socket = try_listen(endpoint, shared);
        if (socket.is_open()) {
            return socket;
        }
        number = errno;
        if (number == EADDRINUSE) {
            break;  // the other family may be free, but a client of this one would meet a stranger
        }
    }
    return listen_error(address, number);
}

std::pair<Socket, int> accept_one(int descriptor) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets interface
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    const int accepted = ::accept4(descriptor, address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) {
        return {Socket(), errno};
    }
    return {Socket(accepted, endpoint_of(*address, size).text), 0};
}

}  // namespace

Result<void> Listener::check_free(const Address& address) {
    if (address.port != 0) {
        if (auto probe = listen_on(address, false); !probe.has_value()) {
            return probe.error();
        }
    }
    return {};
}

Result<std::unique_ptr<Listener>> Listener::open(
    Loop& loop, const Address& address, OnAccept on_accept
) {
    auto socket = listen_on(address, true);
    if (!socket.has_value()) {
        return socket.error();
    }
    return std::unique_ptr<Listener>(new Listener(loop, *std::move(socket), std::move(on_accept)));
}

Result<std::unique_ptr<Listener>> Listener::share(
    Loop& loop, const Socket& listening, OnAccept on_accept
) {
    Socket socket(::fcntl(listening.descriptor(), F_DUPFD_CLOEXEC, 0));
    if (!socket.is_open()) {
        return Error(
            ErrorCode::kListen,
            "cannot listen on a socket that listens already: " +
                std::generic_category().message(errno)
        );
    }
    return std::unique_ptr<Listener>(new Listener(loop, std::move(socket), std::move(on_accept)));
}

Listener::Listener(Loop& loop, Socket socket, OnAccept on_accept)
    : loop_(&loop),
      socket_(std::move(socket)),
      on_accept_(std::move(on_accept)),
      retry_(loop, [this] { accept_all(); }) {
    loop.watch(socket_.descriptor(), *this);
}

Listener::~Listener() {
    close();
}

std::uint16_t Listener::port() const noexcept {
    sockaddr_in6 bound{};
    socklen_t size = sizeof bound;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets interface
    ::getsockname(socket_.descriptor(), reinterpret_cast<sockaddr*>(&bound), &size);
    return ntohs(bound.sin6_port);  // sin_port stands at the same place
}

void Listener::close() noexcept {
    if (socket_.is_open()) {
        retry_.clear();
        loop_->unwatch(socket_.descriptor(), *this);
        socket_.close();
    }
}

void Listener::on_events(std::uint32_t /*events*/) {
    accept_all();
}

void Listener::accept_all() {
    for (int accepted = 0; socket_.is_open() && accepted < kAcceptsMax; ++accepted) {
        auto [client, number] = accept_one(socket_.descriptor());
        if (client.is_open()) {
            on_accept_(std::make_unique<Stream>(*loop_, std::move(client)));
        } else if (number == EAGAIN) {
            return;
        } else if (number != EINTR && number != ECONNABORTED) {
            retry_.set(kRetryAfter);
            return;
        }
    }
    retry_.set(Duration(0));
}

}  // namespace pgveil::net
