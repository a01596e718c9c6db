#pragma once

#include "net/error.hpp"

#include <cstdint>
#include <string>
#include <vector>

struct sockaddr;

namespace pgveil::net {

/// Where to listen or to connect to, as a person writes it.
struct Address {
    std::string host;  ///< numeric address or name; to listen also "*" for all addresses
    std::uint16_t port = 0;
};

/// One address as the kernel wants it.
struct Endpoint {
    std::vector<std::uint8_t> socket_address;  ///< sockaddr_in, sockaddr_in6 or sockaddr_un
    std::string text;                          ///< "192.0.2.1:5432", for messages

    int family() const noexcept;
    const sockaddr* native() const noexcept;
};

Endpoint endpoint_of(const sockaddr& address, std::size_t size);

/// The addresses of a host. Blocks while a name is looked up, unless `numeric_only`.
Result<std::vector<Endpoint>> look_up(const Address& address, bool numeric_only);

/// The socket of a PostgreSQL server in a directory: "/run/postgresql", 5432.
Result<std::vector<Endpoint>> unix_endpoint(const Address& address);

}  // namespace pgveil::net
