#include "proxy/relay/name_changes.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace pgveil::relay {

using analysis::PlanPtr;
using analysis::StatementKind;
using analysis::StatementPlan;

namespace {

bool is_protected(const PlanPtr& plan) {
    return plan != nullptr && plan->touches_protected;
}

bool holds_protected_statement(const SessionState& state) {
    return std::any_of(state.statements.begin(), state.statements.end(), [](const auto& entry) {
        return entry.second->planned.is_protected();
    });
}

/// Prepared under a policy that was replaced.
std::optional<Refusal> check_policy(const SessionState& state, const StatementPlan& plan) {
    const auto found = state.statements.find(plan.used_name);
    const bool is_old = found != state.statements.end() && plan.used != nullptr &&
                        found->second->planned.shared() == plan.used &&
                        found->second->policy_epoch != state.policy->epoch();
    return is_old ? std::optional(refusal(Reason::kPolicyChanged, plan.used_name)) : std::nullopt;
}

std::optional<Refusal> check_room(
    const SessionState& state, const StatementPlan& plan, std::size_t defined
) {
    const std::size_t limit = state.environment->limits.statements_per_session;
    if (plan.kind == StatementKind::kPrepare && state.statements.size() + defined > limit) {
        return refusal(Reason::kTooManyStatements, std::to_string(state.statements.size()));
    }
    if (state.keeps_too_much()) {
        return refusal(Reason::kTooManyPlanBytes, std::to_string(state.plan_bytes.total()));
    }
    if (plan.kind == StatementKind::kDeclareCursor && state.portals.size() + defined > limit) {
        return refusal(Reason::kTooManyCursors, std::to_string(state.portals.size()));
    }
    return std::nullopt;
}

void define(SessionState& state, const NameChange& change, const SegmentPtr& segment) {
    if (change.target == wire::Target::kStatement) {
        auto statement = std::make_shared<PreparedStatement>();
        statement->planned = Planned(change.plan);
        statement->policy_epoch = change.policy_epoch;
        statement->grounds = change.grounds;
        statement->charge = state.plan_bytes.charge(size_bytes_of(*statement));
        state.statements.insert_or_assign(change.name, std::move(statement));
        return;
    }
    auto portal = std::make_shared<Portal>();
    portal->planned = Planned(change.plan);
    portal->is_simple = true;
    portal->is_held = change.is_held;
    portal->bound_in = segment;
    portal->charge = state.plan_bytes.charge(size_bytes_of(*portal) + portal->planned.size_bytes());
    state.portals.insert_or_assign(change.name, std::move(portal));
}

void apply(SessionState& state, const NameChange& change, const SegmentPtr& segment) {
    const bool is_statement = change.target == wire::Target::kStatement;
    if (change.plan != nullptr) {
        define(state, change, segment);
    } else if (change.name.empty()) {
        is_statement ? state.statements.clear() : state.portals.clear();
    } else if (is_statement) {
        state.statements.erase(change.name);
    } else {
        state.portals.erase(change.name);
    }
}

bool concerns_names(StatementKind kind) {
    return kind == StatementKind::kPrepare || kind == StatementKind::kDeclareCursor ||
           kind == StatementKind::kDeallocate || kind == StatementKind::kCloseCursor;
}

bool is_known(const SessionState& state, const NameChange& change) {
    if (change.name.empty()) {
        return true;
    }
    return change.target == wire::Target::kStatement ? state.statements.contains(change.name)
                                                     : state.portals.contains(change.name);
}

}  // namespace

PlanPtr SessionNames::prepared(const std::string& name) const {
    const auto found = state_->statements.find(name);
    return found == state_->statements.end() ? nullptr : found->second->planned.shared();
}

PlanPtr SessionNames::portal(const std::string& name) const {
    const auto found = state_->portals.find(name);
    return found == state_->portals.end() || found->second == nullptr
               ? nullptr
               : found->second->planned.shared();
}

bool SessionNames::knows_all_prepared() const {
    return !state_->policy->is_empty() && !state_->names_are_uncertain;
}

void note_name_change(
    SessionState& state, const StatementPlan& plan, const SentStatement& sent, Expected& expected
) {
    state.names_are_uncertain |= plan.runs_unknown_sql;
    state.barrier |= plan.kind == StatementKind::kDiscard;
    if (plan.kind == StatementKind::kDiscard && plan.may_change_session_parameters) {
        state.parameters.challenges().forget();  // DISCARD ALL, whatever the server says of it
    }
    if (!concerns_names(plan.kind)) {
        return;
    }
    const bool defines =
        plan.kind == StatementKind::kPrepare || plan.kind == StatementKind::kDeclareCursor;
    const bool is_statement =
        plan.kind == StatementKind::kPrepare || plan.kind == StatementKind::kDeallocate;
    NameChange change;
    change.statement = sent.index;
    change.grounds = sent.grounds;
    change.target = is_statement ? wire::Target::kStatement : wire::Target::kPortal;
    change.name = defines ? plan.defined_name : plan.used_name;
    change.plan = plan.defined;
    change.is_held = plan.is_held;
    change.policy_epoch = state.policy->epoch();
    if (change.plan != nullptr || is_known(state, change) || !expected.name_changes.empty()) {
        state.barrier = true;
        expected.name_changes.push_back(std::move(change));
    }
}

void apply_name_changes(SessionState& state, std::string_view tag, const Expected& expected) {
    for (const NameChange& change : expected.name_changes) {
        if (change.statement == expected.current) {
            apply(state, change, expected.segment);
        }
    }
    if (tag == "DISCARD ALL" || tag == "DEALLOCATE ALL") {
        state.statements.clear();
    }
    if (tag == "DISCARD ALL" || tag == "CLOSE CURSOR ALL") {
        state.portals.clear();
    }
}

Planned with_current_cursor(const SessionState& state, const Planned& planned) {
    const StatementPlan* const plan = planned.plan();
    if (plan == nullptr || plan->kind != StatementKind::kFetch) {
        return planned;
    }
    const PlanPtr now = SessionNames(state).portal(plan->used_name);
    if (now == plan->used) {
        return planned;
    }
    auto fetch = std::make_shared<StatementPlan>();
    fetch->kind = StatementKind::kFetch;
    fetch->used_name = plan->used_name;
    if (now != nullptr) {
        analysis::take_over(*fetch, now);
    }
    return Planned(std::move(fetch));
}

std::optional<Refusal> check_names(
    const SessionState& state, const StatementPlan& plan, std::size_t defined
) {
    if (plan.runs_unknown_sql && holds_protected_statement(state)) {
        return refusal(Reason::kUnknownSql, "");
    }
    if (analysis::runs_prepared(plan)) {
        return check_policy(state, plan);
    }
    return plan.defined == nullptr ? std::nullopt : check_room(state, plan, defined);
}

std::optional<Refusal> check_prepared_names(const SessionState& state, const StatementPlan& plan) {
    if (analysis::runs_prepared(plan)) {
        const PlanPtr now = SessionNames(state).prepared(plan.used_name);
        if (now != plan.used && (is_protected(now) || is_protected(plan.used))) {
            return refusal(Reason::kUsedName, "\"" + plan.used_name + "\"");
        }
    }
    return check_names(state, plan, 0);
}

std::optional<Refusal> check_unread(const SessionState& state, std::string_view text) {
    if (!holds_protected_statement(state)) {
        return std::nullopt;
    }
    std::string folded(text);
    std::transform(folded.begin(), folded.end(), folded.begin(), [](unsigned char letter) {
        return static_cast<char>(std::tolower(letter));
    });
    return folded.find("deallocate") == std::string::npos
               ? std::nullopt
               : std::optional(refusal(Reason::kUnreadDrop, ""));
}

}  // namespace pgveil::relay
