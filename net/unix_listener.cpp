#include "net/unix_listener.hpp"

#include "net/address.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace pgveil::net {

namespace {

constexpr int kBacklog = 1024;
constexpr int kSocketType = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

Error listen_error(const std::string& path, int number) {
    return {
        ErrorCode::kListen,
        "cannot listen on " + path + ": " + std::generic_category().message(number)};
}

socklen_t size_of(const Endpoint& endpoint) {
    return static_cast<socklen_t>(endpoint.socket_address.size());
}

/// Whether the file is what a process that is gone has left behind.
bool is_abandoned(const Endpoint& endpoint) {
    struct stat file {};

    if (::stat(endpoint.text.c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) {
        return false;
    }
    const Socket probe(::socket(AF_UNIX, kSocketType, 0));
    return ::connect(probe.descriptor(), endpoint.native(), size_of(endpoint)) != 0 &&
           errno == ECONNREFUSED;
}

/// 0, or why not.
int bind_to(const Socket& socket, const Endpoint& endpoint) {
    if (::bind(socket.descriptor(), endpoint.native(), size_of(endpoint)) == 0) {
        return 0;
    }
    const int number = errno;
    if (number != EADDRINUSE || !is_abandoned(endpoint)) {
        return number;
    }
    ::unlink(endpoint.text.c_str());
    return ::bind(socket.descriptor(), endpoint.native(), size_of(endpoint)) == 0 ? 0 : errno;
}

}  // namespace

Result<UnixListener> UnixListener::open(
    const std::string& directory, std::uint16_t port, ::mode_t permissions
) {
    const Address address{directory, port};
    const auto endpoints = unix_endpoint(address);
    if (!endpoints.has_value()) {
        return Error(ErrorCode::kListen, endpoints.error().message);
    }
    const Endpoint& endpoint = endpoints->front();
    Socket socket(::socket(AF_UNIX, kSocketType, 0));
    if (!socket.is_open()) {
        return listen_error(endpoint.text, errno);
    }
    if (const int number = bind_to(socket, endpoint); number != 0) {
        return listen_error(endpoint.text, number);
    }
    // Nobody can connect before listen(): there is no moment with other permissions.
    if (::chmod(endpoint.text.c_str(), permissions) != 0 ||
        ::listen(socket.descriptor(), kBacklog) != 0) {
        const int number = errno;
        ::unlink(endpoint.text.c_str());
        return listen_error(endpoint.text, number);
    }
    return UnixListener(std::move(socket), endpoint.text);
}

UnixListener::UnixListener(Socket socket, std::string path)
    : socket_(std::move(socket)), path_(std::move(path)) {
    struct stat file {};

    if (::stat(path_.c_str(), &file) == 0) {
        device_ = file.st_dev;
        inode_ = file.st_ino;
    }
}

UnixListener::UnixListener(UnixListener&& other) noexcept
    : socket_(std::move(other.socket_)),
      path_(std::exchange(other.path_, {})),
      device_(other.device_),
      inode_(other.inode_) {}

UnixListener::~UnixListener() {
    struct stat file {};

    if (!path_.empty() && ::stat(path_.c_str(), &file) == 0 && file.st_dev == device_ &&
        file.st_ino == inode_) {
        ::unlink(path_.c_str());
    }
}

}  // namespace pgveil::net
