#include "sql/analysis/named_plans.hpp"

#include <utility>

namespace pgveil::analysis {

void TextNames::Changes::put(const std::string& name, PlanPtr plan) {
    plans.insert_or_assign(name, std::move(plan));
}

void TextNames::Changes::drop(const std::string& name) {
    if (name.empty()) {
        drop_all();
    } else {
        plans.insert_or_assign(name, nullptr);
    }
}

void TextNames::Changes::drop_all() {
    plans.clear();
    are_all_dropped = true;
}

PlanPtr TextNames::prepared(const std::string& name) const {
    if (const auto found = prepared_.plans.find(name); found != prepared_.plans.end()) {
        return found->second;
    }
    return session_ == nullptr || prepared_.are_all_dropped ? nullptr : session_->prepared(name);
}

PlanPtr TextNames::portal(const std::string& name) const {
    if (const auto found = portals_.plans.find(name); found != portals_.plans.end()) {
        return found->second;
    }
    return session_ == nullptr || portals_.are_all_dropped ? nullptr : session_->portal(name);
}

bool TextNames::knows_all_prepared() const {
    return session_ != nullptr && session_->knows_all_prepared();
}

void TextNames::note(const StatementPlan& plan) {
    using enum StatementKind;
    if (plan.kind == kPrepare) {
        prepared_.put(plan.defined_name, plan.defined);
    } else if (plan.kind == kDeclareCursor) {
        portals_.put(plan.defined_name, plan.defined);
    } else if (plan.kind == kDeallocate) {
        prepared_.drop(plan.used_name);
    } else if (plan.kind == kCloseCursor) {
        portals_.drop(plan.used_name);
    }
}

void part_from_inner(StatementPlan& plan, StatementKind inside) {
    const bool is_prepare = plan.kind == StatementKind::kPrepare;
    const bool is_cursor = plan.kind == StatementKind::kDeclareCursor && plan.touches_protected;
    if (is_prepare || is_cursor) {
        auto defined = std::make_shared<StatementPlan>();
        defined->kind = inside;
        defined->touches_protected = plan.touches_protected;
        defined->tables = plan.tables;
        defined->may_write = plan.may_write;
        defined->results = plan.results;
        defined->hidden_results = plan.hidden_results;
        defined->is_binary = plan.is_binary;
        defined->calls_own_function = plan.calls_own_function;
        defined->compared = plan.compared;
        if (is_prepare) {
            defined->guarded = std::move(plan.guarded);
            defined->parameters = plan.parameters;
            defined->parameter_count = plan.parameter_count;
            defined->open_texts = plan.open_texts;
        }
        plan.defined = std::move(defined);
    }
    plan.results.clear();
    plan.hidden_results = 0;
    if (is_prepare) {
        plan.may_write = false;
        plan.compared.clear();
        plan.guarded.clear();
        plan.parameters.clear();
    }
}

bool runs_prepared(const StatementPlan& plan) {
    using enum StatementKind;
    return !plan.used_name.empty() &&
           (plan.kind == kExecute || plan.kind == kExplain || plan.kind == kOtherDdl);
}

void take_over(StatementPlan& plan, const PlanPtr& used) {
    plan.used = used;
    plan.touches_protected = used->touches_protected;
    plan.tables = used->tables;
    plan.compared = used->compared;
    plan.guarded = used->guarded;
    plan.results = used->results;
    plan.hidden_results = used->hidden_results;
    plan.is_binary = used->is_binary;
    plan.needs_ciphertext_type = used->needs_ciphertext_type;
    plan.changes_catalog = used->changes_catalog;
    plan.may_change_session_parameters = used->may_change_session_parameters;
    plan.may_change_search_path = used->may_change_search_path;
    plan.runs_unknown_sql = used->runs_unknown_sql;
}

}  // namespace pgveil::analysis
