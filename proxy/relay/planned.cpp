#include "proxy/relay/planned.hpp"

namespace pgveil::relay {

analysis::StatementPlan without_splices(const analysis::StatementPlan& plan) {
    analysis::StatementPlan kept;
    kept.begin = plan.begin;
    kept.end = plan.end;
    kept.kind = plan.kind;
    kept.touches_protected = plan.touches_protected;
    kept.tables = plan.tables;
    kept.may_write = plan.may_write;
    kept.may_bring_many = plan.may_bring_many;
    kept.columns = plan.columns;
    kept.compared = plan.compared;
    kept.guarded = plan.guarded;
    kept.parameters = plan.parameters;
    kept.results = plan.results;
    kept.copy = plan.copy;
    kept.hidden_results = plan.hidden_results;
    kept.needs_ciphertext_type = plan.needs_ciphertext_type;
    kept.changes_catalog = plan.changes_catalog;
    kept.may_change_session_parameters = plan.may_change_session_parameters;
    kept.may_change_search_path = plan.may_change_search_path;
    kept.shown_parameter = plan.shown_parameter;
    kept.used_name = plan.used_name;
    kept.used = plan.used;
    kept.defined_name = plan.defined_name;
    kept.defined = plan.defined;
    kept.is_held = plan.is_held;
    kept.is_binary = plan.is_binary;
    kept.parameter_count = plan.parameter_count;
    kept.split_parameters = plan.split_parameters;
    kept.open_texts = plan.open_texts;
    kept.calls_set_config = plan.calls_set_config;
    kept.calls_own_function = plan.calls_own_function;
    kept.runs_unknown_sql = plan.runs_unknown_sql;
    return kept;
}

Planned Planned::kept() const {
    // A call's arguments are still to be used when its row comes.
    if (plan_ == nullptr || plan_->splices.empty() || plan_->call) {
        return *this;
    }
    return Planned(std::make_shared<const analysis::StatementPlan>(without_splices(*plan_)));
}

}  // namespace pgveil::relay
