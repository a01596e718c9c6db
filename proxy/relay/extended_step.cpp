#include "proxy/relay/extended_step.hpp"

#include "proxy/relay/extended_query.hpp"

namespace pgveil::relay {

Expected expect(SessionState& state, Awaited kind) {
    state.open_segment();
    state.batch_open = true;
    Expected expected;
    expected.kind = kind;
    expected.segment = state.segment;
    return expected;
}

bool violates(SessionState& state, std::string_view message) {
    state.violation = "invalid ";
    state.violation.append(message).append(" message");
    return true;
}

std::optional<Refusal> check_room(
    const SessionState& state, std::string_view name, std::size_t held, Reason too_many
) {
    if (name.empty()) {
        return std::nullopt;
    }
    if (held > state.environment->limits.statements_per_session) {
        return refusal(too_many, std::to_string(held));
    }
    return state.keeps_too_much()
               ? std::optional(
                     refusal(Reason::kTooManyPlanBytes, std::to_string(state.plan_bytes.total()))
                 )
               : std::nullopt;
}

Refusal unknown_statement(std::string_view name) {
    Refusal unknown;
    unknown.sqlstate = "26000";
    unknown.message = name.empty()
                          ? "unnamed prepared statement does not exist"
                          : "prepared statement \"" + std::string(name) + "\" does not exist";
    unknown.outranks_failed_transaction = true;
    return unknown;
}

bool stopped_by(
    SessionState& state, Preparation preparation, Outgoing& upstream, bool& is_waiting
) {
    is_waiting = preparation.readiness == Readiness::kWaiting;
    if (preparation.readiness == Readiness::kRefused) {
        refuse_extended(state, std::move(preparation.refusal), upstream);
    }
    return preparation.readiness != Readiness::kReady;
}

}  // namespace pgveil::relay
