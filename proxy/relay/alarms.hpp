#pragma once

#include "proxy/alarm/alarm.hpp"
#include "proxy/relay/session_state.hpp"
#include "sql/field/protected_column.hpp"

#include <optional>

// What the alarms hear of a session. Nothing is done where Environment::alarms is null.
namespace pgveil::relay {

/// `value` of `column` was opened for the client: kUserLocked if it is planted there, and the user
/// is locked for it. That waits for the share store.
std::optional<Refusal> watch_opened(
    const SessionState& state,
    const Segment& segment,
    const field::ProtectedColumn& column,
    core::ByteView value
);

/// A value does not open.
void watch_failed_open(
    const SessionState& state, const Segment& segment, const field::ProtectedColumn& column
);

/// The session's shares give no key. Counts where that looks like guessing or theft: not for shares
/// that are missing, expired or stale.
void watch_denied(const SessionState& state, const share::Denial& denial);

}  // namespace pgveil::relay
