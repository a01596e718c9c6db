#pragma once

#include "net/buffer.hpp"
#include "net/stream.hpp"

#include <cstddef>

namespace pgveil::net {

/// Behind an answer that ends its connection: reads off what still comes, up to `bytes_max`,
/// because closing a socket with unread bytes resets the connection, and the client may lose the
/// answer (RFC 9112 section 9.6). Throws system_error as Stream::readable() does; the caller has
/// set a deadline.
/// @param input what it holds is dropped
Awaitable<void> linger(Stream& client, Buffer& input, std::size_t bytes_max = 65536);

}  // namespace pgveil::net
