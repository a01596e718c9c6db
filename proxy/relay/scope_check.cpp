#include "proxy/relay/scope_check.hpp"

#include "config/migrating.hpp"
#include "proxy/relay/key_groups.hpp"
#include "proxy/relay/key_source.hpp"

#include <algorithm>
#include <string>

namespace pgveil::relay {

using analysis::StatementPlan;

namespace {

bool covers(const share::TokenScope& scope, std::string_view table) {
    const std::size_t dot = table.find('.');
    return scope.covers_table(table.substr(0, dot), table.substr(dot + 1));
}

std::optional<Refusal> beyond_tables(
    const share::TokenScope& scope, std::string_view user_id, const StatementPlan& plan
) {
    if (scope.tables.empty() || !(plan.touches_protected || plan.needs_keys())) {
        return std::nullopt;
    }
    const auto beyond =
        std::find_if(plan.tables.begin(), plan.tables.end(), [&scope](const std::string& table) {
            return !covers(scope, table);
        });
    if (beyond != plan.tables.end()) {
        return refusal(Reason::kScopeTables, std::string(user_id) + " is not for table " + *beyond);
    }
    return plan.tables.empty() ? std::optional(refusal(Reason::kScopeUnknownTable, user_id))
                               : std::nullopt;
}

std::optional<Refusal> beyond_ordinary(
    const share::TokenScope& scope, std::string_view user_id, const StatementPlan& plan
) {
    if (scope.maintain) {
        return std::nullopt;
    }
    const auto kept =
        std::find_if(plan.tables.begin(), plan.tables.end(), config::is_name_beside_migrating);
    return kept == plan.tables.end()
               ? std::nullopt
               : std::optional(refusal(
                     Reason::kScopeMaintain, std::string(user_id) + " is not for table " + *kept
                 ));
}

/// Of a token that is not restricted.
const share::TokenScope& unrestricted() {
    static const share::TokenScope none;
    return none;
}

/// Null: the session does not know it, or nothing is in force.
const TokenRestriction* known_restriction(const SessionState& state) {
    const SessionParameters& parameters = state.parameters;
    const bool is_known = state.restriction && !parameters.must_read_back() &&
                          state.restriction->handles == parameters.in_force() &&
                          parameters.current(analysis::SessionParameter::kUserToken) != nullptr;
    return is_known ? &*state.restriction : nullptr;
}

}  // namespace

std::optional<Refusal> beyond_scope(
    const share::TokenScope& scope, std::string_view user_id, const StatementPlan& plan
) {
    if (scope.read_only && plan.may_write) {
        return refusal(Reason::kScopeReadOnly, user_id);
    }
    auto kept = beyond_ordinary(scope, user_id, plan);
    return kept ? std::move(kept) : beyond_tables(scope, user_id, plan);
}

std::optional<Refusal> beyond_scope(const share::RequestKeys& keys, const StatementPlan& plan) {
    const share::TokenScope& scope = keys.scope() == nullptr ? unrestricted() : *keys.scope();
    return beyond_scope(scope, keys.user_id(), plan);
}

std::optional<Refusal> not_for(const share::RequestKeys& keys, const StatementPlan& plan) {
    auto missing = missing_group(keys, plan);
    return missing ? std::move(missing) : beyond_scope(keys, plan);
}

void note_restriction(SessionState& state) {
    const Segment& segment = state.open_segment();
    const share::TokenScopePtr& scope = segment.keys->scope();
    if (!state.restriction || state.restriction->handles != segment.built_from ||
        state.restriction->scope != scope) {
        state.restriction = TokenRestriction{segment.built_from, segment.keys->user_id(), scope};
    }
}

Preparation prepare_scope(SessionState& state, const StatementPlan& plan, Outgoing& upstream) {
    if (!state.parameters.any() || plan.needs_keys()) {
        return {};
    }
    const bool must_know =
        plan.touches_protected && state.transaction != wire::TransactionStatus::kFailed;
    if (must_know && state.parameters.must_read_back()) {
        read_back(state, upstream);
        return Preparation::waiting();
    }
    if (must_know && known_restriction(state) == nullptr) {
        look_at_token(state);
    }
    const TokenRestriction* const known = known_restriction(state);
    if (known == nullptr) {
        return {};
    }
    const share::TokenScope& scope = known->scope == nullptr ? unrestricted() : *known->scope;
    auto beyond = beyond_scope(scope, known->user_id, plan);
    return beyond ? Preparation::refused(std::move(*beyond)) : Preparation();
}

std::optional<Refusal> unread_beyond_scope(const SessionState& state) {
    constexpr int kGrammar = 15;  // of our parser
    const int server = state.settings.server_major();
    return server != 0 && server <= kGrammar ? std::nullopt : unknown_beyond_scope(state);
}

std::optional<Refusal> unknown_beyond_scope(const SessionState& state) {
    const TokenRestriction* const known = known_restriction(state);
    return known == nullptr || known->scope == nullptr
               ? std::nullopt
               : beyond_scope(*known->scope, known->user_id, StatementPlan());
}

std::optional<Refusal> count_statement(SessionState& state) {
    const auto counted = state.environment->custody->count_statement(*state.open_segment().keys);
    return counted.has_value() ? std::nullopt : std::optional(refusal(counted.error()));
}

}  // namespace pgveil::relay
