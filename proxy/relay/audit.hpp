#pragma once

#include "proxy/relay/session_state.hpp"
#include "proxy/wire/frame.hpp"
#include "sql/analysis/plan.hpp"

#include <optional>

// What the audit log hears of a session. Nothing is done, and nothing kept, where
// Environment::on_audit is empty.
namespace pgveil::relay {

/// While it lives, state.at_hand is the client's message.
class AtHand {
public:
    AtHand(SessionState& state, const wire::Frame& frame) : state_(&state) {
        state.at_hand = &frame;
    }

    AtHand(const AtHand&) = delete;
    AtHand& operator=(const AtHand&) = delete;
    AtHand(AtHand&&) = delete;
    AtHand& operator=(AtHand&&) = delete;

    ~AtHand() { state_->at_hand = nullptr; }

private:
    SessionState* state_;
};

/// A statement goes upstream as part of what `expected` answers.
void audit_sent(SessionState& state, const analysis::StatementPlan& plan, Expected& expected);

/// A Query or Execute has left: the reply that was noted last is its.
void name_audited(SessionState& state, const wire::Frame& frame);

/// @param error the server's ErrorResponse
void fail_audited(const Expected& expected, const wire::Frame& error);

/// Its last reply has come.
void end_audited(const Expected& expected);

/// Why no value may be opened or sealed now (58030): the audit log cannot be written.
std::optional<Refusal> check_audit(const SessionState& state);

}  // namespace pgveil::relay
