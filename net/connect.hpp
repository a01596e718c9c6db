#pragma once

#include "net/address.hpp"
#include "net/loop.hpp"
#include "net/stream.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pgveil::net {

/// The addresses of `host`, in the resolver's order. A numeric host and a unix-socket directory
/// (begins with '/') are answered at once; names are looked up in a thread of their own so that the
/// loop never blocks.
Awaitable<Result<std::vector<Endpoint>>> resolve(
    Loop& loop, std::string host, std::uint16_t port, Duration timeout
);

/// Connects to the first address that answers. `timeout` covers everything, the look-up included.
/// The message names host, port and the last reason.
Awaitable<Result<std::unique_ptr<Stream>>> connect(
    Loop& loop, std::string host, std::uint16_t port, Duration timeout
);

/// The same for addresses already looked up (a CancelRequest goes where its session went).
Awaitable<Result<std::unique_ptr<Stream>>> connect(
    Loop& loop, std::vector<Endpoint> endpoints, Duration timeout
);

}  // namespace pgveil::net
