#pragma once

#include "proxy/relay/outgoing.hpp"
#include "proxy/relay/session_state.hpp"
#include "proxy/wire/frame.hpp"

namespace pgveil::relay {

// The messages of the extended protocol. Each returns false if the message must be presented again
// when state.wait is over.

bool on_parse(SessionState& state, const wire::Frame& frame, Outgoing& upstream);
bool on_bind(SessionState& state, const wire::Frame& frame, Outgoing& upstream);

/// A Bind that begins like this goes upstream as it comes: nothing of its statement is sealed.
/// @param begun of its body, with both names or without
bool passes_bind(const SessionState& state, wire::ByteView begun);

bool on_describe(SessionState& state, const wire::Frame& frame, Outgoing& upstream);
bool on_execute(SessionState& state, const wire::Frame& frame, Outgoing& upstream);
bool on_close(SessionState& state, const wire::Frame& frame, Outgoing& upstream);
bool on_sync(SessionState& state, const wire::Frame& frame, Outgoing& upstream);

/// Sends a Parse that must fail in place of a refused message. The rest of the client's batch stays
/// here: the server would skip it anyway, and need not see what it says.
void refuse_extended(SessionState& state, Refusal refusal, Outgoing& upstream);

}  // namespace pgveil::relay
