#include "sql/analysis/list_position.hpp"
#include "sql/analysis/query.hpp"
#include "sql/analysis/written_column.hpp"

#include <algorithm>

namespace pgveil::analysis {

namespace {

bool is_values_list(const parse::Select& source) {
    return !source.values.empty() && source.operation == parse::Select::SetOperation::kNone &&
           source.with.tables.empty() && source.order_by.empty() && source.limits.empty();
}

/// ORDER BY names columns, and none whose constants would be sorted before they are assigned.
bool sorts_by_others(const parse::Select& source, const NamedValues& columns) {
    return std::all_of(source.order_by.begin(), source.order_by.end(), [&](const auto& key) {
        const auto* const reference = std::get_if<parse::ColumnReference>(&key->node);
        if (reference == nullptr || reference->star || reference->parts.empty()) {
            return false;
        }
        const bool is_input = reference->parts.size() > 1;
        return is_input || std::none_of(columns.begin(), columns.end(), [&](const auto& column) {
                   const bool may_be_it =
                       column.name.empty() || column.name == reference->parts.back();
                   return !column.value.adaptables.empty() && may_be_it;
               });
    });
}

/// Nothing looks at a constant before it is assigned, but perhaps compares_column().
bool hands_on_constants(const parse::Select& source, const NamedValues& columns) {
    const bool is_list =
        source.operation == parse::Select::SetOperation::kNone || is_union_all(source);
    return is_list && !source.distinct && source.group_by.empty() &&
           sorts_by_others(source, columns);
}

/// One constant or parameter as it stands.
bool is_bare(const Value& value) {
    return value.list == nullptr && value.adaptables.size() == 1 &&
           value.adaptables.front().conversions.empty();
}

}  // namespace

void Query::insert(const parse::Insert& statement) {
    set_results(insert_rows(statement), nullptr);
}

void Query::update(const parse::Update& statement) {
    set_results(update_rows(statement), nullptr);
}

void Query::delete_from(const parse::Delete& statement) {
    set_results(delete_rows(statement), nullptr);
}

const KnownRelation* Query::changed(const parse::TableReference& target) {
    const KnownRelation* const relation =
        draft_.text().relations.judge(written_relation(target)).known;
    if (relation != nullptr && relation->relation->is_intercepted) {
        draft_.refuse(refusal_of(
            target.name,
            "a change of a view with a trigger or rule of its own",
            "change the table itself: what the trigger or rule does with the values is not seen",
            target.begin
        ));
    }
    return relation;
}

Query::Output Query::returned(const std::vector<parse::Target>& list, const Scope& scope) {
    Output output = targets(list, scope);
    for (NamedValue& column : output.columns) {
        column.value.stored = {};  // not the row that the rest of the statement sees
    }
    output.is_silent = list.empty();
    return output;
}

/// The result is what RETURNING gives.
Query::Output Query::insert_rows(const parse::Insert& statement) {
    common_tables_.emplace_back();
    add_common_tables(statement.with, nullptr);
    const Range range = range_of(statement.target);
    const KnownRelation* const relation = changed(statement.target);
    const std::vector<ColumnPtr> columns = target_columns(statement.columns, relation);
    const KeyPlaces places = key_places(statement.columns, relation);
    if (statement.source != nullptr && is_values_list(*statement.source)) {
        for (const parse::Expressions& row : statement.source->values) {
            refuse_surplus(row.size(), columns.size(), relation, [&](std::size_t i) {
                return row[i]->begin;
            });
            insert_row(row, columns, places, Scope());
        }
    } else if (statement.source != nullptr) {
        insert_query(*statement.source, columns, relation);
    }
    if (statement.on_conflict) {
        on_conflict(statement, range, relation, places);
    }
    Scope scope;
    add_range(range, scope);
    Output output = returned(statement.returning, scope);
    common_tables_.pop_back();
    return output;
}

std::vector<ColumnPtr> Query::target_columns(
    const std::vector<parse::Target>& list, const KnownRelation* relation
) {
    std::vector<ColumnPtr> columns;
    if (relation == nullptr) {
        return columns;
    }
    if (list.empty()) {
        return relation->veils;
    }
    for (const parse::Target& target : list) {
        plain_all(target.subscripts, Scope(), Use::kConstruct);
        const std::size_t index = index_of(*relation->relation, target.name);
        if (index == relation->veils.size()) {
            draft_.refuse(postgres_error(
                "42703", missing_column(target.name, *relation->relation), target.begin
            ));
            continue;
        }
        const ColumnPtr& column = relation->veils[index];
        if (column != nullptr && target.has_indirection) {
            draft_.refuse(Use::kSubfield, column, target.begin);
        }
        columns.push_back(column);
    }
    return columns;
}

/// A value without a column may be meant for a protected one: it does not leave for PostgreSQL to
/// refuse it.
void Query::refuse_surplus(
    std::size_t values,
    std::size_t columns,
    const KnownRelation* relation,
    const std::function<std::uint32_t(std::size_t)>& begin_of
) {
    const bool is_protected =
        relation != nullptr &&
        std::ranges::any_of(relation->veils, [](const auto& veil) { return veil != nullptr; });
    if (is_protected && values > columns) {
        draft_.refuse(postgres_error(
            "42601", "INSERT has more expressions than target columns", begin_of(columns)
        ));
    }
}

void Query::insert_row(
    const parse::Expressions& row,
    const std::vector<ColumnPtr>& columns,
    const KeyPlaces& places,
    const Scope& scope
) {
    const AssignedList list(draft_.parameters());
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (draft_.is_refused()) {
            return;  // before thousands of rows are sealed for nothing
        }
        if (!std::holds_alternative<parse::Default>(row[i]->node)) {
            const ColumnPtr column = i < columns.size() ? columns[i] : nullptr;
            RowKeys keys =
                needs_row(column, *row[i]) ? inserted_row(column, row, places) : RowKeys();
            assign(column, open_expression(*row[i], scope), row[i]->begin, std::move(keys));
        }
    }
}

void Query::insert_query(
    const parse::Select& source,
    const std::vector<ColumnPtr>& columns,
    const KnownRelation* relation
) {
    Output output = query(source, nullptr);
    refuse_surplus(output.columns.size(), columns.size(), relation, [&](std::size_t i) {
        return source.targets.size() == output.columns.size() ? source.targets[i].begin
                                                              : parse::kNowhere;
    });
    if (output.is_opaque) {
        const auto first = std::find_if(columns.begin(), columns.end(), [](const auto& each) {
            return each != nullptr;
        });
        const auto moved =
            std::find_if(output.columns.begin(), output.columns.end(), [](const auto& each) {
                return each.value.column != nullptr;
            });
        if (first != columns.end() || moved != output.columns.end()) {
            draft_.refuse(
                "INSERT ... SELECT * from something unknown",
                "list the columns",
                first != columns.end() ? *first : moved->value.column,
                parse::kNowhere
            );
            return;
        }
    }
    // What is compared or sorted has a type of its own before it is assigned.
    const bool is_simple = hands_on_constants(source, output.columns);
    const AssignedList list(draft_.parameters());
    for (std::size_t i = 0; i < output.columns.size(); ++i) {
        Value value = output.columns[i].value;
        const bool is_compared = compares_column(source, i, output.columns[i].name);
        if (is_compared || (!is_simple && !is_bare(value))) {
            value.adaptables.clear();
        }
        assign(i < columns.size() ? columns[i] : nullptr, value, parse::kNowhere);
    }
}

void Query::assign(const ColumnPtr& target, const Value& value, std::uint32_t begin, RowKeys row) {
    if (target == nullptr) {
        if (value.column != nullptr) {
            draft_.refuse(
                "storing the value in an unprotected column",
                "protect the target column with the same \"context\" in the policy",
                value.column,
                begin
            );
        }
        return;
    }
    draft_.note_assigned(target);
    if (value.column != nullptr && target->is_bound()) {
        draft_.refuse(
            "a copy of a stored value",
            "its bind_to makes it open in its own row only: read it, then write it as a parameter",
            target,
            begin
        );
        return;
    }
    if (value.column != nullptr) {
        require(Use::kAssignColumn, value, begin);
        draft_.require(Use::kAssignColumn, target, begin);
        if (!field::shares_context(*target, *value.column) || target->type != value.column->type) {
            draft_.refuse(
                "assignment from " + value.column->qualified_name(),
                "give both columns the same \"context\", type, search and group in the policy",
                target,
                begin
            );
        }
        seal(value, target, ParameterUse::kAssigned);
        return;
    }
    if (value.is_adaptable() && target->is_bound() && !row.empty()) {
        assign_for_row(target, value, begin, std::move(row));
        return;
    }
    if (value.is_adaptable()) {
        draft_.require(Use::kAssignConstant, target, begin);
        seal(value, target, ParameterUse::kAssigned);
        return;
    }
    draft_.refuse(
        "assignment of an expression",
        "assign a constant, a parameter, NULL or a column of the same context",
        target,
        begin
    );
}

void Query::assign_for_row(
    const ColumnPtr& target, const Value& value, std::uint32_t begin, RowKeys row
) {
    const Adaptable& first = value.adaptables.front();
    if (value.adaptables.size() > 1 || !first.conversions.empty()) {
        draft_.refuse(
            "CASE, COALESCE or a column of VALUES",
            "its bind_to makes the value another one in every row: assign a constant or parameter",
            target,
            begin
        );
        return;
    }
    draft_.seal_for_row(*first.constant, target, std::move(row));
}

Query::Output Query::update_rows(const parse::Update& statement) {
    common_tables_.emplace_back();
    add_common_tables(statement.with, nullptr);
    Scope scope;
    add_range(range_of(statement.target), scope);
    const UpdatedRow row{changed(statement.target), read_.size(), statement.where.get(), nullptr};
    // In the order of transformUpdateStmt(): the first use of a parameter gives it its type.
    from(statement.from, scope);
    condition(statement.where, scope);
    Output output = returned(statement.returning, scope);
    assign_targets(statement.assignments, row, scope);
    common_tables_.pop_back();
    return output;
}

Query::Output Query::delete_rows(const parse::Delete& statement) {
    common_tables_.emplace_back();
    add_common_tables(statement.with, nullptr);
    Scope scope;
    add_range(range_of(statement.target), scope);
    static_cast<void>(changed(statement.target));  // a view that may not be
    from(statement.from, scope);
    condition(statement.where, scope);
    Output output = returned(statement.returning, scope);
    common_tables_.pop_back();
    return output;
}

}  // namespace pgveil::analysis
