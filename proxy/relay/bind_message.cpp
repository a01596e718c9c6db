#include "proxy/relay/confirmation.hpp"
#include "proxy/relay/extended_query.hpp"
#include "proxy/relay/extended_step.hpp"
#include "proxy/relay/name_changes.hpp"
#include "proxy/relay/scope_check.hpp"
#include "proxy/relay/sealer.hpp"
#include "proxy/wire/frontend.hpp"

namespace pgveil::relay {

namespace {

using analysis::StatementPlan;

void remember_portal(
    SessionState& state, std::string_view name, std::shared_ptr<Portal> portal, Expected& expected
) {
    portal->charge = state.plan_bytes.charge(size_bytes_of(*portal), std::move(portal->charge));
    name = kept_name(name);
    auto& slot = state.portals[std::string(name)];
    Undo undo;
    undo.registry = Undo::Registry::kPortals;
    undo.name = name;
    undo.portal = name.empty() ? nullptr : slot;
    undo.made = portal.get();
    portal->bound_in = expected.segment;
    slot = std::move(portal);
    expected.undo = std::move(undo);
}

/// A name that no Parse and no PREPARE of this session made: a function may have, or a text that
/// could not be read, else it does not exist, and its values are nobody's business upstream.
bool on_bind_of_unknown(
    SessionState& state, const wire::Bind& bind, const wire::Frame& frame, Outgoing& upstream
) {
    if (!state.pending.empty()) {
        wait_for_replies(state, upstream);
        return false;
    }
    if (!state.names_are_uncertain || bind.statement.empty()) {
        refuse_extended(state, unknown_statement(bind.statement), upstream);
        return true;
    }
    if (auto beyond = unknown_beyond_scope(state)) {
        refuse_extended(state, std::move(*beyond), upstream);
        return true;
    }
    Expected expected = expect(state, Awaited::kBind);
    remember_portal(state, bind.portal, std::make_shared<Portal>(), expected);
    state.pending.push(std::move(expected));
    upstream.pass(frame.bytes);
    return true;
}

std::shared_ptr<const CallArguments> call_arguments(const wire::Bind& bind) {
    auto arguments = std::make_shared<CallArguments>();
    std::uint32_t number = 0;
    for (const wire::Cell& cell : bind.parameters) {
        ++number;
        if (cell) {
            (*arguments)[number] = core::SecretBytes::copy_of(*cell);
        }
    }
    return arguments;
}

/// The arguments of a call stay here: the stand-in gets NULLs.
void append_call_bind(const wire::Bind& bind, wire::Output& upstream) {
    wire::BindWriter writer(
        upstream,
        {bind.portal, bind.statement},
        std::span<const wire::Format>(),
        static_cast<std::uint16_t>(bind.parameters.size())
    );
    for (std::size_t i = 0; i < bind.parameters.size(); ++i) {
        writer.add(std::nullopt);
    }
    writer.finish(bind.result_formats);
}

/// Null: its text could not be read, and names nothing that is protected.
bool is_passed(const StatementPlan* plan) {
    return plan == nullptr || plan->is_plain();
}

std::shared_ptr<Portal> portal_for(const wire::Bind& bind, const PreparedStatement& statement) {
    auto portal = std::make_shared<Portal>();
    portal->planned = statement.planned;
    portal->positions = statement.positions;
    portal->grounds = statement.grounds;
    portal->guard = statement.guard;
    portal->shown = statement.shown;
    portal->charge = statement.charge;
    for (std::size_t i = 0; i < bind.result_formats.size(); ++i) {
        portal->formats.push_back(bind.result_formats.code_for(i));
    }
    if (statement.planned.plan()->call) {
        portal->arguments = call_arguments(bind);
    }
    return portal;
}

bool send_bind(
    SessionState& state,
    const wire::Bind& bind,
    const PreparedStatement& statement,
    Outgoing& upstream
) {
    const StatementPlan& plan = *statement.planned.plan();
    bool is_waiting = false;
    if (plan.needs_keys() &&
        stopped_by(state, prepare_keys(state, plan, upstream), upstream, is_waiting)) {
        return !is_waiting;
    }
    if (sets_handle(plan) &&
        stopped_by(state, prepare_room(state, upstream), upstream, is_waiting)) {
        return !is_waiting;
    }
    Expected expected = expect(state, Awaited::kBind);
    auto portal = portal_for(bind, statement);
    if (plan.call) {
        append_call_bind(bind, upstream.made());
    } else {
        const auto sealed = seal_bind(state, bind, plan, upstream.made());
        if (!sealed.has_value()) {
            refuse_extended(state, sealed.error(), upstream);
            return true;
        }
    }
    expected.positions = statement.positions;
    remember_portal(state, bind.portal, std::move(portal), expected);
    state.pending.push(std::move(expected));
    return true;
}

/// A prepared FETCH brings what its cursor has now.
std::shared_ptr<const PreparedStatement> current(
    SessionState& state, const std::shared_ptr<const PreparedStatement>& statement
) {
    Planned planned = with_current_cursor(state, statement->planned);
    if (planned.plan() == statement->planned.plan()) {
        return statement;
    }
    auto fetch = std::make_shared<PreparedStatement>(*statement);
    fetch->planned = std::move(planned);
    fetch->charge = state.plan_bytes.charge(size_bytes_of(*fetch));
    return fetch;
}

/// Its names, and those of what it runs by name, still mean what they meant.
Preparation confirm_bound(
    SessionState& state, const PreparedStatement& statement, Outgoing& upstream
) {
    Preparation confirmed = confirm(state, statement.grounds.get(), upstream);
    const StatementPlan* const plan = statement.planned.plan();
    return confirmed.readiness != Readiness::kReady || plan == nullptr
               ? confirmed
               : confirm_used(state, *plan, upstream);
}

}  // namespace

bool passes_bind(const SessionState& state, wire::ByteView begun) {
    const auto head = wire::decode_bind_head(begun);
    const auto found = head.has_value() ? state.statements.find(kept_name(head->statement))
                                        : state.statements.end();
    return found != state.statements.end() &&
           is_passed(with_current_cursor(state, found->second->planned).plan());
}

bool on_bind(SessionState& state, const wire::Frame& frame, Outgoing& upstream) {
    const auto bind =
        frame.is_begun ? wire::decode_bind_head(frame.body) : wire::decode_bind(frame.body);
    if (!bind.has_value()) {
        return violates(state, "Bind");
    }
    if (auto failure = state.injection.take_failure()) {
        refuse_extended(state, std::move(*failure), upstream);
        return true;
    }
    const auto found = state.statements.find(kept_name(bind->statement));
    if (found == state.statements.end()) {
        return on_bind_of_unknown(state, *bind, frame, upstream);
    }
    if (must_settle_name(state, state.portals, kept_name(bind->portal), upstream)) {
        return false;
    }
    if (auto full =
            check_room(state, bind->portal, state.portals.size(), Reason::kTooManyCursors)) {
        refuse_extended(state, std::move(*full), upstream);
        return true;
    }
    const std::shared_ptr<const PreparedStatement> statement = current(state, found->second);
    const StatementPlan* const plan = statement->planned.plan();
    if (statement->policy_epoch != state.policy->epoch()) {
        refuse_extended(state, refusal(Reason::kPolicyChanged, bind->statement), upstream);
        return true;
    }
    auto concerned = plan == nullptr ? std::nullopt : check_prepared_names(state, *plan);
    if (concerned) {
        refuse_extended(state, std::move(*concerned), upstream);
        return true;
    }
    bool is_waiting = false;
    if (stopped_by(state, confirm_bound(state, *statement, upstream), upstream, is_waiting)) {
        return !is_waiting;
    }
    if (plan != nullptr &&
        stopped_by(state, prepare_scope(state, *plan, upstream), upstream, is_waiting)) {
        return !is_waiting;
    }
    if (!is_passed(plan)) {
        return send_bind(state, *bind, *statement, upstream);
    }
    Expected expected = expect(state, Awaited::kBind);
    auto portal = std::make_shared<Portal>();
    portal->planned = statement->planned;
    portal->grounds = statement->grounds;
    portal->guard = statement->guard;
    portal->shown = statement->shown;
    portal->charge = statement->charge;
    remember_portal(state, bind->portal, std::move(portal), expected);
    state.pending.push(std::move(expected));
    upstream.pass(frame.bytes);
    return true;
}

}  // namespace pgveil::relay
