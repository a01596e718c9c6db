#pragma once

#include "proxy/relay/injection.hpp"
#include "proxy/relay/outgoing.hpp"
#include "proxy/relay/pending_replies.hpp"
#include "proxy/relay/session_state.hpp"
#include "proxy/wire/frame.hpp"

namespace pgveil::relay {

/// Gives the client the server's error, or our refusal in its place (25P02 excepted: the
/// transaction had failed before). The position is mapped back into the user's text, and of
/// envelopes that the server quotes the client sees what QuotedValues says.
void append_server_error(
    SessionState& state, const wire::Frame& frame, const Expected& expected, Outgoing& client
);

/// An error of severity FATAL or PANIC: the server closes the connection behind it.
bool ends_session(const wire::Frame& frame);

/// What a failed injection means for the client's message.
Refusal refusal_of(const wire::Frame& frame, Injection::Purpose purpose);

}  // namespace pgveil::relay
