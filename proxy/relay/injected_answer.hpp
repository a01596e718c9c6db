#pragma once

#include "proxy/relay/session_state.hpp"

namespace pgveil::relay {

/// Takes over what the finished injection has brought (or its failure), and ends the wait for it.
void use_injected_answer(SessionState& state);

}  // namespace pgveil::relay
