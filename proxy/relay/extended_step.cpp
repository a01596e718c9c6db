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
