#pragma once

#include "proxy/relay/outgoing.hpp"
#include "proxy/relay/session_state.hpp"
#include "proxy/wire/frame.hpp"

namespace pgveil::relay {

/// A Query message (one or several statements). False: present it again when state.wait is over.
bool on_query(SessionState& state, const wire::Frame& frame, Outgoing& upstream);

/// Sends the marker in place of a whole Query.
void refuse_query(SessionState& state, Refusal refusal, Outgoing& upstream);

}  // namespace pgveil::relay
