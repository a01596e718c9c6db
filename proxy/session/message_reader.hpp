#pragma once

#include "net/buffer.hpp"
#include "net/stream.hpp"
#include "proxy/session/login_error.hpp"
#include "proxy/wire/frame.hpp"

#include <cstddef>

namespace pgveil::session {

// One whole small message at a time, for the login phase. What was returned is consumed by the next
// call, so views live until then; whoever reads last calls input.consume_parsed(). Bytes that came
// behind the message stay in `input` for whoever reads on.
// Errors: silence() when the peer closed, 08P01 for a malformed or too long message; a lost network
// and a passed deadline throw boost::system::system_error, as every wait on a Stream does.

/// @param limit largest message in bytes, head included
net::Awaitable<Result<wire::Frame>> next_message(
    net::Stream& stream, net::Buffer& input, std::size_t limit
);

/// The packet with its length, as wire::decode_startup takes it.
net::Awaitable<Result<wire::ByteView>> next_startup_packet(
    net::Stream& stream, net::Buffer& input, std::size_t limit
);

/// Sends what is pending and the end of our direction, waits for the client's, and closes. Waits at
/// most a few seconds for a client that does not read, or does not end. Throws nothing.
net::Awaitable<void> finish_client(net::Stream& client);

/// Sends the FATAL ErrorResponse (nothing if silent), the end of our direction, and closes.
/// Waits at most a few seconds for a client that does not read. Throws nothing.
net::Awaitable<void> end_login(net::Stream& client, LoginError error);

}  // namespace pgveil::session
