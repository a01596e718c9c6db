#pragma once

#include "proxy/relay/outgoing.hpp"
#include "proxy/relay/preparation.hpp"
#include "proxy/relay/session_state.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

// Steps that the messages of the extended protocol have in common.
namespace pgveil::relay {

/// An entry for a message that goes upstream in the open batch (which it opens).
Expected expect(SessionState& state, Awaited kind);

/// Ends the session: the client's message cannot be read. Always true: the message is done with.
bool violates(SessionState& state, std::string_view message);

/// Why no more names can be kept, of which the session holds `held`; what has no name takes the
/// place of the last one. @param too_many the reason where the limit is their number
std::optional<Refusal> check_room(
    const SessionState& state, std::string_view name, std::size_t held, Reason too_many
);

/// PostgreSQL's error for a name, or none, that nothing was prepared under.
Refusal unknown_statement(std::string_view name);

/// Runs on what a preparation step found; refuses the message if it did. Returns true when the
/// message cannot go upstream now: refused, or (`is_waiting`) to be presented again.
bool stopped_by(SessionState& state, Preparation preparation, Outgoing& upstream, bool& is_waiting);

/// A statement or portal of that name stands at the server already: a second one fails there and
/// the first survives. Only the server's answer tells which of the two is meant from then on, so
/// true means: present the message again, when all replies have come.
template <class Item>
bool must_settle_name(
    SessionState& state, const Registry<Item>& registry, std::string_view name, Outgoing& upstream
) {
    if (name.empty() || registry.find(name) == registry.end()) {
        return false;
    }
    if (!state.pending.empty()) {
        wait_for_replies(state, upstream);
        return true;
    }
    state.barrier = true;
    return false;
}

}  // namespace pgveil::relay
