#include "proxy/relay/preparation.hpp"

#include "proxy/relay/catalog_question.hpp"
#include "proxy/relay/key_groups.hpp"
#include "proxy/relay/key_source.hpp"
#include "proxy/relay/name_changes.hpp"
#include "proxy/relay/scope_check.hpp"
#include "proxy/wire/frontend.hpp"
#include "sql/guard/guard.hpp"

#include <algorithm>

namespace pgveil::relay {

using analysis::StatementKind;

Ending ending_for(const SessionState& state) {
    return state.batch_open ? Ending::kFlush : Ending::kSync;
}

void expect_injection(SessionState& state) {
    std::vector<Awaited> kinds = {
        Awaited::kClose, Awaited::kParse, Awaited::kBind, Awaited::kExecute, Awaited::kClose};
    if (state.injection.ending() == Ending::kSync) {
        kinds.push_back(Awaited::kSync);
    }
    state.injection.expect(kinds.size());
    for (const Awaited kind : kinds) {
        Expected expected;
        expected.kind = kind;
        expected.injected = true;
        expected.segment = state.segment;
        state.pending.push(std::move(expected));
    }
    state.wait = Wait::kInjection;
}

void read_back(SessionState& state, Outgoing& upstream) {
    state.injection.read_parameters(upstream.made(), ending_for(state));
    expect_injection(state);
}

namespace {

void tell_user(SessionState& state, std::string user_id, Outgoing& upstream) {
    state.injection.set_verified_user(upstream.made(), ending_for(state), std::move(user_id));
    expect_injection(state);
}

bool ends_transaction(StatementKind kind) {
    return kind == StatementKind::kCommit || kind == StatementKind::kRollback ||
           kind == StatementKind::kRollbackToSavepoint ||
           kind == StatementKind::kReleaseSavepoint || kind == StatementKind::kPrepareTransaction;
}

/// What runs behind it may belong to another transaction.
bool may_begin_another_transaction(const analysis::StatementPlan& plan) {
    return plan.kind == StatementKind::kCommit || plan.kind == StatementKind::kRollback ||
           plan.kind == StatementKind::kPrepareTransaction || plan.runs_unknown_sql;
}

bool sets_something(StatementKind kind) {
    return kind == StatementKind::kSet || kind == StatementKind::kReset ||
           kind == StatementKind::kDiscard;
}

analysis::Limits limits_of(const config::LimitSettings& settings) {
    analysis::Limits limits;
    limits.text_bytes = settings.statement_bytes;
    limits.tokens = settings.statement_tokens;
    limits.plan_bytes = settings.plan_bytes_per_session;
    return limits;
}

}  // namespace

analysis::Context context_of(
    const SessionState& state, const std::vector<std::uint32_t>& parameter_oids
) {
    return {
        .policy = *state.policy,
        .catalog = state.catalog,
        .style = state.settings.style(),
        .standard_conforming_strings = state.settings.standard_conforming_strings(),
        .parameter_oids = parameter_oids,
        .limits = limits_of(state.environment->limits),
        .client_encoding = state.settings.client_encoding(),
        .server_encoding = state.settings.server_encoding(),
        .server_major = state.settings.server_major(),
        .can_look_up = state.transaction != wire::TransactionStatus::kFailed,
        .next_keys = next_keys(state)};
}

Preparation prepare_catalog(
    SessionState& state, std::vector<catalog::RelationName> names, Outgoing& upstream
) {
    forget_stale_catalog(state);
    std::erase_if(names, [&state](const auto& name) {
        return state.catalog.find(name) != nullptr;
    });
    if (names.empty()) {
        return {};
    }
    return ask_catalog(state, std::move(names), upstream) ? Preparation() : Preparation::waiting();
}

namespace {

/// Null: the names are looked up first.
AnalysisPtr decide(
    SessionState& state,
    std::string_view text,
    const std::vector<std::uint32_t>& parameter_oids,
    Outgoing& upstream
) {
    forget_stale_catalog(state);
    Environment& environment = *state.environment;
    const PlanKey key{
        state.policy->epoch(),
        state.facts.database,
        state.settings.standard_conforming_strings(),
        state.settings.client_encoding(),
        state.settings.server_encoding(),
        parameter_oids,
        text,
        &state.settings.style()};
    if (AnalysisPtr known = environment.plans.find(key, state.catalog)) {
        environment.tally->plans_reused.add();
        return known;
    }
    const SessionNames names(state);
    analysis::Context context = context_of(state, parameter_oids);
    context.names = &names;
    const metrics::Stopwatch watch(environment.tally->parse);
    auto decided = std::make_shared<analysis::Analysis>(guard::analyze(text, context));
    if (!decided->missing.empty()) {
        return ask_catalog(state, std::move(decided->missing), upstream)
                   ? decide(state, text, parameter_oids, upstream)
                   : nullptr;
    }
    AnalysisPtr result = std::move(decided);
    if (context.can_look_up) {
        environment.plans.put(key, result, state.catalog);
    }
    return result;
}

}  // namespace

AnalysisPtr analysis_of(
    SessionState& state,
    std::string_view text,
    const std::vector<std::uint32_t>& parameter_oids,
    Outgoing& upstream
) {
    if (state.pending.settings_in_flight()) {
        wait_for_replies(state, upstream);
        return nullptr;
    }
    const bool is_doubtful =
        state.unreported.must_be_read() && state.transaction != wire::TransactionStatus::kFailed;
    const bool is_ambiguous = is_doubtful && !state.pending.empty() && depends_on_settings(text);
    if (is_ambiguous || (state.settings_stale && state.batch_open)) {
        read_back(state, upstream);  // the server reports changes only with ReadyForQuery
        return nullptr;
    }
    AnalysisPtr result = decide(state, text, parameter_oids, upstream);
    if (is_doubtful && result != nullptr && !result->passthrough) {
        read_back(state, upstream);
        return nullptr;
    }
    return result;
}

namespace {

/// The token has expired: only the replies outstanding tell whether its transaction still runs.
bool must_settle_grace(const SessionState& state) {
    return state.grace.is_needed(state.environment->now_s()) && !state.pending.empty();
}

VerifiedUser::Validity validity_of(const share::RequestKeys& keys) {
    return {keys.token_expires_s(), keys.grace_ends_s()};
}

/// The segment has keys of other shares than those in force now: they serve the rows that are still
/// to come, and nothing else. False: wait.
bool drop_superseded_keys(SessionState& state, Segment& segment, Outgoing& upstream) {
    if (!segment.keys || segment.built_from == state.parameters.in_force()) {
        return true;
    }
    if (!state.pending.empty()) {
        wait_for_replies(state, upstream);
        return false;
    }
    segment.wipe_keys();
    return true;
}

}  // namespace

bool sets_handle(const analysis::StatementPlan& plan) {
    return std::any_of(
               plan.splices.begin(),
               plan.splices.end(),
               [](const analysis::Splice& splice) {
                   return std::holds_alternative<analysis::ShareHandle>(splice.replacement);
               }
           ) ||
           std::any_of(
               plan.parameters.begin(),
               plan.parameters.end(),
               [](const analysis::ParameterPlan& parameter) { return parameter.handle.has_value(); }
           );
}

bool is_read_only(const analysis::StatementPlan& plan) {
    // A portal that Bind made may hold an INSERT.
    const bool fetches =
        plan.kind == StatementKind::kFetch && (plan.used == nullptr || is_read_only(*plan.used));
    return fetches || plan.kind == StatementKind::kSelect || plan.kind == StatementKind::kShow ||
           plan.kind == StatementKind::kMove || plan.kind == StatementKind::kDeclareCursor;
}

bool wipe_superseded(SessionState& state, Outgoing& upstream) {
    const SessionParameters& parameters = state.parameters;
    if (!parameters.is_crowded() || !parameters.must_read_back() || state.batch_open ||
        state.copy_in || state.injection.has_failed()) {
        return false;
    }
    if (!state.pending.empty()) {
        wait_for_replies(state, upstream);
        return true;
    }
    if (state.transaction != wire::TransactionStatus::kIdle) {
        return false;
    }
    read_back(state, upstream);
    return true;
}

Preparation prepare_room(SessionState& state, Outgoing& upstream) {
    if (state.parameters.has_room()) {
        return {};
    }
    if (state.parameters.must_read_back() && state.transaction == wire::TransactionStatus::kIdle &&
        !state.batch_open) {
        read_back(state, upstream);
        return Preparation::waiting();
    }
    return Preparation::refused(refusal(Reason::kTooManyShares, ""));
}

Preparation prepare_batch(SessionState& state, Outgoing& upstream) {
    if (!state.parameters.must_read_back() || state.batch_open ||
        state.transaction != wire::TransactionStatus::kIdle) {
        return {};
    }
    read_back(state, upstream);
    return Preparation::waiting();
}

Preparation prepare_keys(SessionState& state, Outgoing& upstream) {
    if (!state.settings.is_utf8()) {
        return Preparation::refused(refusal(Reason::kEncoding, state.settings.client_encoding()));
    }
    Segment& segment = state.open_segment();
    if (state.parameters.must_read_back() || state.unreported.must_be_read()) {
        read_back(state, upstream);
        return Preparation::waiting();
    }
    if (!drop_superseded_keys(state, segment, upstream)) {
        return Preparation::waiting();
    }
    if (!segment.keys && must_settle_grace(state)) {
        wait_for_replies(state, upstream);
        return Preparation::waiting();
    }
    if (const auto misread = state.settings.misread(); !misread.empty()) {
        return Preparation::refused(refusal(Reason::kMisread, misread));
    }
    if (auto denied = ensure_keys(state)) {
        return Preparation::refused(std::move(*denied));
    }
    note_restriction(state);
    VerifiedUser& verified = state.verified_user;
    verified.opened(segment.keys->user_id(), segment.built_from, validity_of(*segment.keys));
    if (!verified.is_at_server()) {
        tell_user(state, verified.user_id(), upstream);
        return Preparation::waiting();
    }
    return {};
}

Preparation prepare_keys(
    SessionState& state, const analysis::StatementPlan& plan, Outgoing& upstream
) {
    Preparation keys = prepare_keys(state, upstream);
    if (keys.readiness != Readiness::kReady) {
        return keys;
    }
    auto refused = not_for(*state.open_segment().keys, plan);
    return refused ? Preparation::refused(std::move(*refused)) : Preparation();
}

bool revoke_verified_user(SessionState& state, Outgoing& upstream) {
    const SessionParameters& parameters = state.parameters;
    if (!state.verified_user.names_somebody() || state.copy_in || state.injection.has_failed()) {
        return false;
    }
    const bool is_graced = state.grace.covers(parameters.in_force());
    const bool may_stand =
        !parameters.must_read_back() &&
        state.verified_user.may_stand(parameters.in_force(), state.environment->now_s(), is_graced);
    if (may_stand && !must_settle_grace(state)) {
        return false;
    }
    if (!state.pending.empty()) {
        wait_for_replies(state, upstream);  // only they tell whether the transaction has failed
        return true;
    }
    if (state.transaction == wire::TransactionStatus::kFailed) {
        return false;
    }
    if (parameters.must_read_back()) {
        read_back(state, upstream);
    } else {
        tell_user(state, {}, upstream);
    }
    return true;
}

Preparation prepare_ciphertext_type(SessionState& state, Outgoing& upstream) {
    if (state.type_ensured) {
        return {};
    }
    state.type_ensured = true;
    state.injection.create_ciphertext_type(upstream.made(), ending_for(state));
    expect_injection(state);
    return Preparation::waiting();
}

void wait_for_replies(SessionState& state, Outgoing& upstream) {
    if (state.batch_open) {
        wire::append_empty(upstream.made(), wire::FrontendType::kFlush);
    }
    state.wait = Wait::kDrain;
}

void note_effects(SessionState& state, const analysis::StatementPlan& plan, Expected& expected) {
    if (plan.changes_catalog || plan.may_change_search_path || plan.calls_own_function) {
        state.catalog.clear();
        state.catalog_uncertain = true;
    }
    state.defines_something |= plan.changes_catalog;
    if (plan.may_change_session_parameters) {
        state.parameters.touch();
    }
    if (ends_transaction(plan.kind)) {
        state.parameters.touch_if_unsettled();
        state.unreported.touch_if_unsettled();
    }
    if (plan.may_change_settings()) {
        state.unreported.touch();
    }
    if (may_begin_another_transaction(plan)) {
        state.grace.end();
    }
    if (plan.may_change_search_path || plan.may_change_session_parameters) {
        state.settings_stale = true;
    }
    if (ends_transaction(plan.kind) && state.settings_touched) {
        state.settings_stale = true;
        state.parameters.touch();
    }
    if (sets_something(plan.kind)) {
        state.settings_stale = true;
        state.settings_touched = true;
        state.parameters.touch();  // what the server does not report is read back with them
    }
    expected.changes_settings |=
        sets_something(plan.kind) || (ends_transaction(plan.kind) && state.settings_touched);
    if (plan.used != nullptr && plan.kind == StatementKind::kExecute) {
        note_effects(state, *plan.used, expected);
    }
}

void note_unread(SessionState& state, Expected& expected) {
    state.catalog.clear();
    state.catalog_uncertain = true;
    state.defines_something = true;
    state.parameters.touch();
    state.unreported.touch();
    state.grace.end();
    state.settings_touched = true;
    state.settings_stale = true;
    expected.changes_settings = true;
}

}  // namespace pgveil::relay
