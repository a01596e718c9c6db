#include "net/address.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace pgveil::net {

namespace {

struct FreeAddresses {
    void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

using AddressList = std::unique_ptr<addrinfo, FreeAddresses>;

std::string text_of(const sockaddr& address, std::size_t size) {
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> port{};
    const int result = ::getnameinfo(
        &address,
        static_cast<socklen_t>(size),
        host.data(),
        host.size(),
        port.data(),
        port.size(),
        NI_NUMERICHOST | NI_NUMERICSERV
    );
    if (result != 0) {
        return "unknown address";
    }
    const std::string name(host.data());
    const bool is_version6 = name.find(':') != std::string::npos;
    return (is_version6 ? "[" + name + "]" : name) + ":" + port.data();
}

std::string reason_of(int result) {
    return result == EAI_SYSTEM ? std::generic_category().message(errno) : ::gai_strerror(result);
}

}  // namespace

int Endpoint::family() const noexcept {
    return native()->sa_family;
}

const sockaddr* Endpoint::native() const noexcept {
    // The sockets interface is written in terms of this cast.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
    return reinterpret_cast<const sockaddr*>(socket_address.data());
}

Endpoint endpoint_of(const sockaddr& address, std::size_t size) {
    Endpoint endpoint;
    endpoint.socket_address.resize(size);
    std::memcpy(endpoint.socket_address.data(), &address, size);
    const bool is_local = address.sa_family == AF_UNIX;
    endpoint.text = is_local ? "local socket" : text_of(address, size);
    return endpoint;
}

Result<std::vector<Endpoint>> look_up(const Address& address, bool numeric_only) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV | (numeric_only ? AI_NUMERICHOST : 0);
    const std::string port = std::to_string(address.port);
    const char* host = address.host == "*" ? nullptr : address.host.c_str();
    addrinfo* found = nullptr;
    const int result = ::getaddrinfo(host, port.c_str(), &wanted, &found);
    if (result != 0) {
        return Error(
            ErrorCode::kResolve,
            "cannot resolve host \"" + address.host + "\": " + reason_of(result)
        );
    }
    const AddressList list(found);
    std::vector<Endpoint> endpoints;
    for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
        endpoints.push_back(endpoint_of(*entry->ai_addr, entry->ai_addrlen));
    }
    return endpoints;
}

Result<std::vector<Endpoint>> unix_endpoint(const Address& address) {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    const std::string path = address.host + "/.s.PGSQL." + std::to_string(address.port);
    if (path.size() >= sizeof local.sun_path) {
        return Error(ErrorCode::kResolve, "the path of socket " + path + " is too long");
    }
    std::memcpy(&local.sun_path, path.c_str(), path.size() + 1);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
    Endpoint endpoint = endpoint_of(reinterpret_cast<const sockaddr&>(local), sizeof local);
    endpoint.text = path;
    return std::vector<Endpoint>{std::move(endpoint)};
}

}  // namespace pgveil::net
