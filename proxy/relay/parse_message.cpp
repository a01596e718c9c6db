#include "proxy/relay/confirmation.hpp"
#include "proxy/relay/extended_query.hpp"
#include "proxy/relay/extended_step.hpp"
#include "proxy/relay/name_changes.hpp"
#include "proxy/relay/scope_check.hpp"
#include "proxy/relay/sealer.hpp"
#include "proxy/relay/slow_statements.hpp"
#include "proxy/wire/frontend.hpp"

#include <algorithm>

namespace pgveil::relay {

namespace {

using analysis::StatementPlan;

void remember_statement(
    SessionState& state,
    std::string_view name,
    std::shared_ptr<PreparedStatement> statement,
    Expected& expected
) {
    statement->charge = state.plan_bytes.charge(size_bytes_of(*statement));
    name = kept_name(name);
    auto& slot = state.statements[std::string(name)];
    Undo undo;
    undo.name = name;
    undo.statement = name.empty() ? nullptr : slot;  // a failed Parse("") drops the old one, too
    undo.made = statement.get();
    slot = std::move(statement);
    expected.undo = std::move(undo);
}

std::vector<std::uint32_t> oids_of(const wire::Parse& parse) {
    return {parse.parameter_types.begin(), parse.parameter_types.end()};
}

std::vector<std::uint32_t> declared_oids(const wire::Parse& parse, const StatementPlan& plan) {
    std::vector<std::uint32_t> oids = oids_of(parse);
    for (const analysis::ParameterPlan& parameter : plan.parameters) {
        if (oids.size() < parameter.number) {
            oids.resize(parameter.number, 0);
        }
        oids[parameter.number - 1] = parameter.declared_oid;
    }
    return oids;
}

/// Why a text cannot be prepared, apart from what analysis says.
std::optional<Refusal> check_parse(
    const SessionState& state, const AnalysisPtr& analysis, const wire::Parse& parse
) {
    const std::string_view text = parse.text;
    for (const analysis::Decision& decision : analysis->statements) {
        if (const auto* const rejection = std::get_if<analysis::Rejection>(&decision)) {
            return refusal(*rejection, text);
        }
        if (auto concerned = check_names(state, std::get<StatementPlan>(decision), 0)) {
            return concerned;
        }
    }
    if (analysis->parse_failed) {
        auto unread = check_unread(state, text);
        unread = unread ? std::move(unread) : unread_beyond_scope(state);
        if (unread) {
            return unread;
        }
    }
    if (!analysis->passthrough && analysis->statements.size() != 1) {
        Refusal several;
        several.sqlstate = "42601";
        several.message = "cannot insert multiple commands into a prepared statement";
        return several;
    }
    return check_room(state, parse.statement, state.statements.size(), Reason::kTooManyStatements);
}

std::shared_ptr<PreparedStatement> prepared_of(
    const SessionState& state, const AnalysisPtr& analysis, const wire::Parse& parse
) {
    auto statement = std::make_shared<PreparedStatement>();
    statement->grounds = grounds_of(state, analysis, parse.text, oids_of(parse));
    statement->policy_epoch = state.policy->epoch();
    statement->shown = shown_text(state, parse.text);
    if (analysis->statements.size() == 1) {
        statement->planned = Planned(analysis, 0).kept();
    }
    return statement;
}

void pass_parse(
    SessionState& state,
    const AnalysisPtr& analysis,
    const wire::Parse& parse,
    const wire::Frame& frame,
    Outgoing& upstream
) {
    state.names_are_uncertain |= analysis->parse_failed;
    Expected expected = expect(state, Awaited::kParse);
    remember_statement(state, parse.statement, prepared_of(state, analysis, parse), expected);
    state.pending.push(std::move(expected));
    upstream.pass(frame.bytes);
}

bool holds_sealed_literal(const StatementPlan& plan) {
    return std::any_of(
        plan.splices.begin(),
        plan.splices.end(),
        [](const analysis::Splice& splice) {
            return std::holds_alternative<analysis::SealedLiteral>(splice.replacement);
        }
    );
}

/// What Parse seals is judged by the token of this moment, and what Bind and Execute use by theirs.
Preparation prepare_literals(SessionState& state, const StatementPlan& plan, Outgoing& upstream) {
    Preparation keys = prepare_keys(state, upstream);
    if (keys.readiness != Readiness::kReady) {
        return keys;
    }
    auto beyond = beyond_scope(*state.open_segment().keys, plan);
    return beyond ? Preparation::refused(std::move(*beyond)) : Preparation();
}

/// Its keys are used here and not at Execute, where else it would be counted.
bool must_count(const StatementPlan& plan) {
    return holds_sealed_literal(plan) && !without_splices(plan).needs_keys();
}

bool send_parse(
    SessionState& state, const wire::Parse& parse, const AnalysisPtr& analysis, Outgoing& upstream
) {
    const auto& plan = std::get<StatementPlan>(analysis->statements.front());
    bool is_waiting = false;
    if (stopped_by(state, prepare_batch(state, upstream), upstream, is_waiting)) {
        return !is_waiting;
    }
    if (holds_sealed_literal(plan) &&
        stopped_by(state, prepare_literals(state, plan, upstream), upstream, is_waiting)) {
        return !is_waiting;
    }
    if (sets_handle(plan) &&
        stopped_by(state, prepare_room(state, upstream), upstream, is_waiting)) {
        return !is_waiting;
    }
    state.open_segment();
    if (auto spent = must_count(plan) ? count_statement(state) : std::nullopt) {
        refuse_extended(state, std::move(*spent), upstream);
        return true;
    }
    auto sealed = seal_text(state, parse.text, *analysis, std::nullopt);
    if (!sealed.has_value()) {
        refuse_extended(state, sealed.error(), upstream);
        return true;
    }
    Expected expected = expect(state, Awaited::kParse);
    auto statement = prepared_of(state, analysis, parse);
    statement->positions = sealed->positions;
    expected.positions = sealed->positions;
    remember_statement(state, parse.statement, std::move(statement), expected);
    state.pending.push(std::move(expected));
    wire::append_parse(upstream.made(), parse.statement, sealed->text, declared_oids(parse, plan));
    return true;
}

}  // namespace

bool on_parse(SessionState& state, const wire::Frame& frame, Outgoing& upstream) {
    const auto parse = wire::decode_parse(frame.body);
    if (!parse.has_value()) {
        return violates(state, "Parse");
    }
    if (parse->statement.empty()) {
        state.statements.erase("");
    }
    if (auto failure = state.injection.take_failure()) {
        refuse_extended(state, std::move(*failure), upstream);
        return true;
    }
    if (must_settle_name(state, state.statements, kept_name(parse->statement), upstream)) {
        return false;
    }
    const AnalysisPtr analysis = analysis_of(state, parse->text, oids_of(*parse), upstream);
    if (analysis == nullptr) {
        return false;
    }
    if (auto refused = check_parse(state, analysis, *parse)) {
        refuse_extended(state, std::move(*refused), upstream);
        return true;
    }
    if (analysis->passthrough) {
        pass_parse(state, analysis, *parse, frame, upstream);
        return true;
    }
    return send_parse(state, *parse, analysis, upstream);
}

}  // namespace pgveil::relay
