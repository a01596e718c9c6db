#include "proxy/relay/slow_statements.hpp"

#include "proxy/wire/frontend.hpp"
#include "sql/parse/placeholders.hpp"

namespace pgveil::relay {

namespace {

using wire::FrontendType;

}  // namespace

std::shared_ptr<const std::string> text_of(const SessionState& state, const wire::Frame& frame) {
    if (wire::frontend_type(frame.type) == FrontendType::kQuery) {
        const auto query = wire::decode_query(frame.body);
        return query.has_value() ? shown_text(state, query->text) : nullptr;
    }
    const auto execute = wire::decode_execute(frame.body);
    if (!execute.has_value()) {
        return nullptr;
    }
    const auto found = state.portals.find(kept_name(execute->portal));
    return found == state.portals.end() ? nullptr : found->second->shown;
}

std::shared_ptr<const std::string> shown_text(const SessionState& state, std::string_view text) {
    return state.environment->slow_statement_ms == 0 && !state.environment->on_audit
               ? nullptr
               : std::make_shared<const std::string>(parse::with_placeholders(text));
}

void note_arrival(SessionState& state) {
    if (state.environment->slow_statement_ms != 0 && !state.arrived_ms) {
        state.arrived_ms = state.environment->now_ms();
    }
}

void time_statement(SessionState& state, const wire::Frame& frame) {
    const auto arrived_ms = std::exchange(state.arrived_ms, std::nullopt);
    const FrontendType type = wire::frontend_type(frame.type);
    if (!arrived_ms || (type != FrontendType::kQuery && type != FrontendType::kExecute)) {
        return;
    }
    const Awaited kind = type == FrontendType::kQuery ? Awaited::kQuery : Awaited::kExecute;
    Expected* const expected = state.pending.back();
    if (expected != nullptr && expected->kind == kind && expected->timing == nullptr) {
        expected->timing = std::make_unique<Timing>();
        expected->timing->begun_ms = *arrived_ms;
        expected->timing->text = text_of(state, frame);
    }
}

void report_if_slow(SessionState& state, const Expected& expected) {
    const Environment& environment = *state.environment;
    if (expected.timing == nullptr || environment.slow_statement_ms == 0 || !environment.on_slow) {
        return;
    }
    const Timing& timing = *expected.timing;
    SlowStatement slow;
    slow.took_ms = environment.now_ms() - timing.begun_ms;
    if (slow.took_ms < environment.slow_statement_ms) {
        return;
    }
    slow.session_id = state.facts.id;
    slow.request_id = state.facts.id + "-" + std::to_string(++state.requests);
    slow.login = state.facts.login;
    slow.database = state.facts.database;
    slow.failed = timing.failed;
    slow.text = timing.text == nullptr ? "(its text is not known)" : *timing.text;
    if (slow.failed) {
        slow.text = parse::without_quoted_names(slow.text);
    }
    environment.on_slow(slow);
}

}  // namespace pgveil::relay
