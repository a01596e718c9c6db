#include "sql/analysis/calls.hpp"
#include "sql/analysis/own_functions.hpp"
#include "sql/analysis/query.hpp"
#include "sql/analysis/rejection.hpp"

namespace pgveil::analysis {

namespace {

const parse::Call* call_in(const parse::Expression& node) {
    return std::get_if<parse::Call>(&node.node);
}

/// What PostgreSQL calls the item: its alias, else the function.
std::string alias_of(const parse::FromFunction& item) {
    if (!item.alias.name.empty() || item.calls.empty() || item.calls.front() == nullptr) {
        return item.alias.name;
    }
    const auto* const call = call_in(*item.calls.front());
    return call == nullptr || call->name.empty() ? std::string() : call->name.back();
}

bool is_aggregate_or_window(const parse::Call& call) {
    return call.has_over || call.distinct || !call.order_by.empty() || !call.clauses.empty();
}

}  // namespace

void Query::from_function(const parse::FromFunction& item, Scope& scope) {
    const Scope lateral = lateral_view(scope);
    if (item.calls.size() == 1 && item.calls.front() != nullptr) {
        if (const auto* const function = stored_values_of(*item.calls.front())) {
            add_range(stored_range(item, *function, lateral), scope);
            return;
        }
    }
    for (const auto& call : item.calls) {
        if (call != nullptr) {
            plain(*call, lateral, Use::kFunction);
        }
    }
    Range range;
    range.alias = alias_of(item);
    range.is_opaque = item.column_definitions.empty();
    const auto& names = range.is_opaque ? item.alias.columns : item.column_definitions;
    for (const std::string& name : names) {
        range.columns.push_back({name, {}});
    }
    add_range(std::move(range), scope);
}

const config::FunctionPolicy* Query::stored_values_of(const parse::Expression& node) {
    const auto* const call = call_in(node);
    const auto* const function = call == nullptr ? nullptr : function_entry(draft_.text(), *call);
    if (function == nullptr) {
        return nullptr;
    }
    if (!draft_.has_read(node.begin)) {
        parse::TableReference written;
        written.schema = called_name(*call).schema;
        written.name = function->name.name;
        written.begin = node.begin;
        draft_.qualify(written, {function->name.schema, function->name.name});
    }
    draft_.note_read(node.begin);
    if (draft_.text().defines_view) {
        draft_.refuse(stored_function_refusal(*function, "in a view", node.begin));
    }
    return function;
}

const KnownRelation* Query::table_of(const config::FunctionPolicy& function, std::uint32_t begin) {
    const auto& table = function.table;
    const Judgement judgement = draft_.text().relations.judge({table.schema, table.name}, begin);
    if (judgement.rejection) {
        draft_.refuse(*judgement.rejection);
    }
    return judgement.standing == Standing::kProtected ? judgement.known : nullptr;
}

/// `name`: of the one column, if it returns values and no rows.
NamedValues Query::returned_columns(
    const config::FunctionPolicy& function, const std::string& name, std::uint32_t begin
) {
    NamedValues columns;
    const KnownRelation* const table = table_of(function, begin);
    for (std::size_t i = 0; table != nullptr && i < table->veils.size(); ++i) {
        const std::string& column = table->relation->columns[i].name;
        if (function.column.empty()) {
            columns.push_back({column, Value{table->veils[i]}});
        } else if (column == function.column) {
            columns.push_back({name, Value{table->veils[i]}});
        }
    }
    if (table != nullptr && columns.empty()) {
        draft_.refuse(disagreement(
            table->relation->schema + "." + table->relation->name + "." + function.column,
            "does not exist, but the policy says that a function returns its values",
            begin
        ));
    }
    return columns;
}

Range Query::stored_range(
    const parse::FromFunction& item, const config::FunctionPolicy& function, const Scope& lateral
) {
    const parse::Expression& node = *item.calls.front();
    const parse::Call& call = *call_in(node);
    plain_all(call.arguments, lateral, Use::kFunction, "function " + function.name.name);
    if (is_aggregate_or_window(call) || item.has_column_definitions) {
        draft_.refuse(stored_function_refusal(function, "in this form", node.begin));
    }
    Range range;
    range.alias = alias_of(item);
    range.columns = returned_columns(function, range.alias, node.begin);
    range.is_opaque = range.columns.empty();
    if (item.with_ordinality) {
        range.columns.push_back({"ordinality", {}});
    }
    name_range(range, item.alias);
    return range;
}

Value Query::returned_value(
    const parse::Expression& node, const config::FunctionPolicy& function, const Scope& scope
) {
    const parse::Call& call = *call_in(node);
    plain_all(call.arguments, scope, Use::kFunction, "function " + function.name.name);
    if (function.column.empty()) {
        draft_.refuse(stored_function_refusal(function, "as a row", node.begin));
        return {};
    }
    if (is_aggregate_or_window(call)) {
        draft_.refuse(stored_function_refusal(function, "in this form", node.begin));
        return {};
    }
    const NamedValues columns = returned_columns(function, {}, node.begin);
    if (columns.empty()) {
        return {};
    }
    draft_.note_column(columns.front().value.column);
    return columns.front().value;
}

}  // namespace pgveil::analysis
