#include "proxy/relay/planned.hpp"

namespace pgveil::relay {

Planned Planned::kept() const {
    // A call's arguments are still to be used when its row comes.
    if (plan_ == nullptr || plan_->splices.empty() || plan_->call) {
        return *this;
    }
    auto kept = std::make_shared<analysis::StatementPlan>();
    analysis::StatementPlan& plan = *kept;
    plan.begin = plan_->begin;
    plan.end = plan_->end;
    plan.kind = plan_->kind;
    plan.touches_protected = plan_->touches_protected;
    plan.parameters = plan_->parameters;
    plan.results = plan_->results;
    plan.copy = plan_->copy;
    plan.hidden_results = plan_->hidden_results;
    plan.needs_ciphertext_type = plan_->needs_ciphertext_type;
    plan.changes_catalog = plan_->changes_catalog;
    plan.may_change_session_parameters = plan_->may_change_session_parameters;
    plan.may_change_search_path = plan_->may_change_search_path;
    plan.shown_parameter = plan_->shown_parameter;
    plan.used_name = plan_->used_name;
    plan.used = plan_->used;
    plan.defined_name = plan_->defined_name;
    plan.defined = plan_->defined;
    plan.is_held = plan_->is_held;
    plan.is_binary = plan_->is_binary;
    plan.parameter_count = plan_->parameter_count;
    plan.split_parameters = plan_->split_parameters;
    plan.open_texts = plan_->open_texts;
    plan.calls_set_config = plan_->calls_set_config;
    plan.calls_own_function = plan_->calls_own_function;
    plan.runs_unknown_sql = plan_->runs_unknown_sql;
    return Planned(std::move(kept));
}

}  // namespace pgveil::relay
