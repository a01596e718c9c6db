#include "proxy/relay/extended_query.hpp"

#include "proxy/relay/audit.hpp"
#include "proxy/relay/confirmation.hpp"
#include "proxy/relay/extended_step.hpp"
#include "proxy/relay/measures.hpp"
#include "proxy/relay/name_changes.hpp"
#include "proxy/relay/scope_check.hpp"
#include "proxy/relay/veil_call.hpp"
#include "proxy/wire/frontend.hpp"

namespace pgveil::relay {

namespace {

using analysis::StatementPlan;

constexpr std::string_view kRefusedName = "pgveil_refused";

bool is_known(const SessionState& state, const wire::Describe& message) {
    const std::string_view name = kept_name(message.name);
    return message.target == wire::Target::kPortal ? state.portals.contains(name)
                                                   : state.statements.contains(name);
}

/// The portal that the answer belongs to; null: nothing of it is changed.
std::shared_ptr<const Portal> described(SessionState& state, const wire::Describe& message) {
    const std::string_view name = kept_name(message.name);
    if (message.target == wire::Target::kPortal) {
        const auto found = state.portals.find(name);
        const bool is_plain =
            found == state.portals.end() || !found->second->planned.changes_rows();
        return is_plain ? nullptr : found->second;
    }
    const auto found = state.statements.find(name);
    if (found == state.statements.end() || found->second->planned.plan() == nullptr) {
        return nullptr;
    }
    auto portal = std::make_shared<Portal>();
    portal->planned = with_current_cursor(state, found->second->planned);
    portal->charge = state.plan_bytes.charge(size_bytes_of(*portal) + portal->planned.size_bytes());
    return portal;
}

/// What the description tells about the rows to come; null: nobody looks at them.
std::shared_ptr<ResultGuard> guard_of(const SessionState& state, const wire::Describe& message) {
    const std::string_view name = kept_name(message.name);
    if (message.target == wire::Target::kPortal) {
        const auto found = state.portals.find(name);
        return found == state.portals.end() ? nullptr : found->second->guard;
    }
    const auto found = state.statements.find(name);
    return found == state.statements.end() ? nullptr : found->second->guard;
}

std::shared_ptr<ResultGuard> guard_of(const SessionState& state, const Portal* portal) {
    if (state.policy->is_empty()) {
        return nullptr;
    }
    return portal != nullptr ? portal->guard : std::make_shared<ResultGuard>();
}

std::optional<Refusal> check_execute(const SessionState& state, const Portal& portal) {
    const StatementPlan& plan = *portal.planned.plan();
    if (auto concerned = check_prepared_names(state, plan)) {
        return concerned;
    }
    return plan.call ? check_call(state, *plan.call, portal.arguments.get()) : std::nullopt;
}

/// Names, keys, schema pgveil, and rows of this batch that must be opened before more is written.
/// Returns true when the message is done with.
bool execute_stopped(
    SessionState& state, const StatementPlan& plan, Outgoing& upstream, bool& is_waiting
) {
    // What EXECUTE runs is found only now, whatever was bound.
    if (stopped_by(state, confirm_used(state, plan, upstream), upstream, is_waiting)) {
        return true;
    }
    if (state.pending.has_protected_rows() && !is_read_only(plan)) {
        wait_for_replies(state, upstream);
        is_waiting = true;
        return true;
    }
    if (stopped_by(state, prepare_scope(state, plan, upstream), upstream, is_waiting)) {
        return true;
    }
    if (plan.needs_keys() &&
        stopped_by(state, prepare_keys(state, plan, upstream), upstream, is_waiting)) {
        return true;
    }
    return plan.needs_ciphertext_type &&
           stopped_by(state, prepare_ciphertext_type(state, upstream), upstream, is_waiting);
}

}  // namespace

void refuse_extended(SessionState& state, Refusal refusal, Outgoing& upstream) {
    Expected expected = expect(state, Awaited::kParse);
    wire::append_parse(upstream.made(), kRefusedName, state.marker_for(refusal), {});
    expected.refusal = std::move(refusal);
    state.pending.push(std::move(expected));
    state.batch_failed = true;
}

bool on_describe(SessionState& state, const wire::Frame& frame, Outgoing& upstream) {
    const auto describe = wire::decode_describe(frame.body);
    if (!describe.has_value()) {
        return violates(state, "Describe");
    }
    if (!is_known(state, *describe) && !state.pending.empty()) {
        wait_for_replies(state, upstream);
        return false;
    }
    const bool is_statement = describe->target == wire::Target::kStatement;
    if (is_statement && describe->name.empty() && !is_known(state, *describe)) {
        // The server may have one: of a Query that left as a batch and failed.
        refuse_extended(state, unknown_statement(""), upstream);
        return true;
    }
    Expected expected = expect(
        state,
        describe->target == wire::Target::kPortal ? Awaited::kDescribePortal
                                                  : Awaited::kDescribeStatement
    );
    expected.portals.push_back(described(state, *describe));
    expected.guard = guard_of(state, *describe);
    if (expected.guard != nullptr && !expected.guard->is_described()) {
        expected.charge = state.plan_bytes.charge(ResultGuard::kSizeMax);
    }
    state.pending.push(std::move(expected));
    upstream.pass(frame.bytes);
    return true;
}

bool on_execute(SessionState& state, const wire::Frame& frame, Outgoing& upstream) {
    const auto execute = wire::decode_execute(frame.body);
    if (!execute.has_value()) {
        return violates(state, "Execute");
    }
    if (auto failure = state.injection.take_failure()) {
        refuse_extended(state, std::move(*failure), upstream);
        return true;
    }
    const auto found = state.portals.find(kept_name(execute->portal));
    if (found == state.portals.end() && !state.pending.empty()) {
        wait_for_replies(state, upstream);
        return false;
    }
    const std::shared_ptr<const Portal> portal =
        found == state.portals.end() ? nullptr : found->second;
    const StatementPlan* const plan = portal ? portal->planned.plan() : nullptr;
    if (plan != nullptr) {
        if (auto refused = check_execute(state, *portal)) {
            refuse_extended(state, std::move(*refused), upstream);
            return true;
        }
        bool is_waiting = false;
        if (execute_stopped(state, *plan, upstream, is_waiting)) {
            return !is_waiting;
        }
        if (auto spent = plan->needs_keys() ? count_statement(state) : std::nullopt) {
            refuse_extended(state, std::move(*spent), upstream);
            return true;
        }
    }
    Expected expected = expect(state, Awaited::kExecute);
    expected.guard = guard_of(state, portal.get());
    if (plan != nullptr) {
        note_effects(state, *plan, expected);
        count_sent(state, plan->touches_protected);
        audit_sent(state, *plan, expected);
        note_name_change(state, *plan, {0, portal->grounds}, expected);
        expected.segment->writes |= !is_read_only(*plan);
        expected.positions = portal->positions;
        expected.portals.push_back(portal->planned.changes_rows() ? portal : nullptr);
    } else {
        note_unread(state, expected);
        count_sent(state, false);
    }
    state.pending.push(std::move(expected));
    upstream.pass(frame.bytes);
    return true;
}

bool on_close(SessionState& state, const wire::Frame& frame, Outgoing& upstream) {
    const auto close = wire::decode_close(frame.body);
    if (!close.has_value()) {
        return violates(state, "Close");
    }
    Expected expected = expect(state, Awaited::kClose);
    Undo undo;
    undo.name = kept_name(close->name);
    if (close->target == wire::Target::kStatement) {
        const auto found = state.statements.find(undo.name);
        if (found != state.statements.end()) {
            undo.statement = found->second;
            state.statements.erase(found);
            expected.undo = std::move(undo);
        }
    } else if (const auto found = state.portals.find(undo.name); found != state.portals.end()) {
        undo.registry = Undo::Registry::kPortals;
        undo.portal = found->second;
        state.portals.erase(found);
        expected.undo = std::move(undo);
    }
    state.pending.push(std::move(expected));
    upstream.pass(frame.bytes);
    return true;
}

bool on_sync(SessionState& state, const wire::Frame& frame, Outgoing& upstream) {
    if (state.copy_in) {
        state.pending.forget_sync();  // the server ignores it, unless it has failed by now
        upstream.pass(frame.bytes);
        return true;
    }
    const bool writes = state.segment && state.segment->writes;
    if (state.pending.has_protected_rows() && writes && !state.batch_failed) {
        wait_for_replies(state, upstream);
        return false;
    }
    Expected expected;
    expected.kind = Awaited::kSync;
    expected.segment = std::exchange(state.segment, nullptr);
    state.batch_open = false;
    state.batch_failed = false;
    state.pending.push(std::move(expected));
    upstream.pass(frame.bytes);
    return true;
}

}  // namespace pgveil::relay
