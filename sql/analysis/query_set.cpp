#include "sql/analysis/common_type.hpp"
#include "sql/analysis/list_position.hpp"
#include "sql/analysis/query.hpp"

#include <algorithm>

// UNION, INTERSECT, EXCEPT.
namespace pgveil::analysis {

namespace {

/// As something that is made of it shows it.
Value on_its_own(Value value) {
    value.origin = {};
    value.stored = {};
    value.list.reset();
    return value;
}

}  // namespace

Query::Output Query::set_operation(
    const parse::Select& statement, const Scope* outer, const parse::CommonTable* recursive
) {
    Output left = query(*statement.left, outer);
    if (recursive != nullptr) {
        // The last level is for the WITH of the table's own query.
        name_common_table(*recursive, left, *(common_tables_.end() - 2));
    }
    const Output right = query(*statement.right, outer);
    Output both = combine(statement, left, right, recursive != nullptr);
    left = std::move(both);
    Scope scope;
    scope.outer = outer;
    scope.visible = left.columns;
    check_order(statement, scope, left);
    plain_all(statement.limits, scope, Use::kConstruct);
    return left;
}

Query::Output Query::combine(
    const parse::Select& statement, const Output& left, const Output& right, bool is_recursive
) {
    // A query that reads its own table takes the columns to be those of the first query.
    const bool may_mix = is_union_all(statement) && !is_recursive;
    Output both = left;
    both.is_opaque = left.is_opaque || right.is_opaque;
    for (std::size_t i = 0; i < both.columns.size(); ++i) {
        Value& value = both.columns[i].value;
        value = on_its_own(std::move(value));
        if (i >= right.columns.size()) {
            value.adaptables.clear();
            continue;
        }
        const Value& other = right.columns[i].value;
        const ColumnPtr column = value.column != nullptr ? value.column : other.column;
        // Constants beside it would give the whole another type than the first query has.
        const bool is_known =
            !both.is_opaque &&
            (!is_recursive || (value.column != nullptr && other.column != nullptr));
        auto combination = is_known ? combined(value, other, may_mix) : std::nullopt;
        if (column != nullptr && !combination) {
            draft_.refuse(
                "UNION, INTERSECT or EXCEPT with something else in the same place",
                "combine columns of the same context and type only, or run two queries",
                column,
                parse::kNowhere
            );
            return both;
        }
        value = combination.value_or(Value());
        value.is_bytea = value.is_bytea || left.columns[i].value.is_bytea || other.is_bytea;
        value.stored =
            is_recursive ? Origin() : stored_.either(left.columns[i].value.stored, other.stored);
    }
    if (!is_union_all(statement)) {
        compare_results(left, right, both);
    }
    return both;
}

/// Nullopt: it cannot be done, or is plain.
std::optional<Value> Query::combined(const Value& one, const Value& other, bool may_mix) {
    const std::vector<Value> arms{one, on_its_own(other)};
    if (one.column == nullptr && other.column == nullptr) {
        const bool is_chosen = may_mix && one.is_adaptable() && other.is_adaptable();
        return is_chosen ? std::optional(chosen(arms, false, parse::kNowhere)) : std::nullopt;
    }
    const bool both = one.column != nullptr && other.column != nullptr;
    if (both && !may_mix) {
        const bool is_same = one.type() == other.type() && one.column->type == other.column->type &&
                             field::shares_context(*one.column, *other.column);
        return is_same ? std::optional(one) : std::nullopt;
    }
    const ColumnPtr& column = one.column != nullptr ? one.column : other.column;
    const auto type = common_type({arm_type_of(one, draft_), arm_type_of(other, draft_)});
    const bool is_allowed = both || (one.is_adaptable() || other.is_adaptable());
    if (!is_allowed || !type || !same_bytes(type->kind, column->type.kind)) {
        return std::nullopt;
    }
    if (both) {
        Value value = one;
        value.shown_type = *type == one.column->type ? std::nullopt : type;
        return joins_contexts(value, other, parse::kNowhere) ? std::optional(value) : std::nullopt;
    }
    if (column->is_bound()) {
        return std::nullopt;
    }
    return settled(chosen_column(arms, *type, parse::kNowhere));
}

void Query::compare_results(const Output& left, const Output& right, const Output& both) {
    std::vector<Value> list;
    for (const NamedValue& column : both.columns) {
        list.push_back(column.value);
    }
    for (std::size_t i = 0; i < std::min(list.size(), right.columns.size()); ++i) {
        for (const Value& value : {left.columns[i].value, right.columns[i].value}) {
            if (value.column != nullptr && !is_told_apart(list[i], list)) {
                require(Use::kSetOperation, value, parse::kNowhere);
            }
        }
    }
}

}  // namespace pgveil::analysis
