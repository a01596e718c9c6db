#pragma once

#include "proxy/relay/outgoing.hpp"
#include "proxy/relay/session_state.hpp"

#include <string>
#include <vector>

// How a session comes to know names: from the server, and later also from what that has just said
// to another session of the same worker (SharedCatalog).
namespace pgveil::relay {

/// Answers are good for a while, and for one message only while DDL is in the air.
void forget_stale_catalog(SessionState& state);

/// True: state.catalog has them now. False: the client's message waits, and asks again.
bool ask_catalog(SessionState& state, std::vector<catalog::RelationName> names, Outgoing& upstream);

/// The server has said what state.injection asked: `names` stand in state.catalog.
/// @param viewpoint empty if the server did not say it
void share_catalog(
    SessionState& state,
    const std::string& viewpoint,
    const std::vector<catalog::RelationName>& names
);

}  // namespace pgveil::relay
