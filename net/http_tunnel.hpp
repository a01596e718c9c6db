#pragma once

#include "net/http_message.hpp"
#include "net/stream.hpp"

namespace pgveil::net {

/// It asks for a WebSocket (RFC 6455 section 4.1), and for no other protocol beside it.
bool is_websocket(const HttpRequest& request);

/// Nothing has come from the peer, not even its end. Takes what the peer has sent, if it has.
bool is_quiet(Stream& stream);

/// Passes bytes both ways until one side ends; what was received of it before has left by then.
/// Throws system_error as Stream does.
/// @param left_input what was received of `left` already; so for right
Awaitable<void> tunnel(Stream& left, Buffer& left_input, Stream& right, Buffer& right_input);

}  // namespace pgveil::net
