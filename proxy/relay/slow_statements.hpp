#pragma once

#include "proxy/relay/session_state.hpp"
#include "proxy/wire/frame.hpp"

#include <memory>
#include <string>
#include <string_view>

// Which statements took longer than log.slow_statement_ms: from the arrival of their message
// (Query, Execute) to the last reply, with what the proxy itself did. Nothing is done, and nothing
// kept, where the setting is 0.
namespace pgveil::relay {

/// What is kept of a statement's text: placeholders stand for its constants. Null: nobody asks.
std::shared_ptr<const std::string> shown_text(const SessionState& state, std::string_view text);

/// The same of a Query or Execute; null also: it is not known.
std::shared_ptr<const std::string> text_of(const SessionState& state, const wire::Frame& frame);

/// A message is looked at; it may be again, when it had to wait.
void note_arrival(SessionState& state);

/// A Query or Execute has left: the reply that was noted last is its.
void time_statement(SessionState& state, const wire::Frame& frame);

/// Its last reply has come: Environment::on_slow hears of it if that took long.
void report_if_slow(SessionState& state, const Expected& expected);

}  // namespace pgveil::relay
