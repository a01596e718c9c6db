#include "sql/analysis/constants.hpp"
#include "sql/analysis/query.hpp"

#include <algorithm>

namespace pgveil::analysis {

namespace {

/// Position of a column in the relation; the size if there is none.
std::size_t index_of(const catalog::Relation& relation, const std::string& name) {
    const auto found =
        std::find_if(relation.columns.begin(), relation.columns.end(), [&name](const auto& column) {
            return column.name == name;
        });
    return static_cast<std::size_t>(found - relation.columns.begin());
}

/// A value, not NULL, for a column with bind_to.
bool needs_row(const ColumnPtr& column, const parse::Expression& value) {
    return column != nullptr && column->is_bound() && !is_null_constant(value);
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

std::string missing_column(const std::string& name, const catalog::Relation& relation) {
    return "column \"" + name + "\" of relation \"" + relation.name + "\" does not exist";
}

}  // namespace

void Query::insert(const parse::Insert& statement) {
    common_tables_.emplace_back();
    add_common_tables(statement.with, nullptr);
    const Range range = range_of(statement.target);
    const KnownRelation* const relation =
        draft_.text()
            .relations
            .judge({{}, statement.target.schema, statement.target.name, statement.target.begin})
            .known;
    const std::vector<ColumnPtr> columns = target_columns(statement, relation);
    if (statement.has_on_conflict) {
        draft_.refuse(refusal_of(
            "a statement on encrypted columns",
            rule_of(Use::kOnConflict).construct,
            rule_of(Use::kOnConflict).hint,
            statement.target.begin
        ));
    }
    if (statement.source != nullptr) {
        const bool is_values = !statement.source->values.empty() &&
                               statement.source->operation == parse::Select::SetOperation::kNone &&
                               statement.source->with.tables.empty() &&
                               statement.source->order_by.empty() &&
                               statement.source->limits.empty();
        if (is_values) {
            insert_values(*statement.source, columns, key_places(statement, relation));
        } else {
            insert_query(*statement.source, columns);
        }
    }
    Scope scope;
    add_range(range, scope);
    returning(statement.returning, scope);
    common_tables_.pop_back();
}

std::vector<ColumnPtr> Query::target_columns(
    const parse::Insert& statement, const KnownRelation* relation
) {
    std::vector<ColumnPtr> columns;
    if (relation == nullptr) {
        return columns;
    }
    if (statement.columns.empty()) {
        return relation->veils;
    }
    for (const parse::Target& target : statement.columns) {
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

void Query::insert_values(
    const parse::Select& source, const std::vector<ColumnPtr>& columns, const KeyPlaces& places
) {
    const Scope scope;
    for (const parse::Expressions& row : source.values) {
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
}

void Query::insert_query(const parse::Select& source, const std::vector<ColumnPtr>& columns) {
    Output output = query(source, nullptr);
    if (output.is_opaque) {
        const auto first = std::find_if(columns.begin(), columns.end(), [](const auto& c) {
            return c != nullptr;
        });
        const auto moved =
            std::find_if(output.columns.begin(), output.columns.end(), [](const auto& c) {
                return c.value.column != nullptr;
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
    // Grouping, DISTINCT and set operations compare a constant before it is assigned.
    const bool is_simple = source.operation == parse::Select::SetOperation::kNone &&
                           !source.distinct && source.group_by.empty() &&
                           sorts_by_others(source, output.columns);
    for (std::size_t i = 0; i < output.columns.size(); ++i) {
        Value value = output.columns[i].value;
        if (!is_simple) {
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

void Query::update(const parse::Update& statement) {
    common_tables_.emplace_back();
    add_common_tables(statement.with, nullptr);
    Scope scope;
    add_range(range_of(statement.target), scope);
    const UpdatedRow row{
        draft_.text()
            .relations
            .judge({{}, statement.target.schema, statement.target.name, statement.target.begin})
            .known,
        read_.size(),
        statement.where.get()};
    from(statement.from, scope);
    for (const parse::Target& target : statement.assignments) {
        assign_target(target, row, scope);
    }
    condition(statement.where, scope);
    returning(statement.returning, scope);
    common_tables_.pop_back();
}

void Query::assign_target(const parse::Target& target, const UpdatedRow& row, const Scope& scope) {
    plain_all(target.subscripts, scope, Use::kConstruct);
    ColumnPtr column;
    const KnownRelation* const relation = row.relation;
    if (relation != nullptr) {
        check_key_change(target, *relation);
        const std::size_t index = index_of(*relation->relation, target.name);
        if (index == relation->veils.size()) {
            draft_.refuse(postgres_error(
                "42703", missing_column(target.name, *relation->relation), target.begin
            ));
            return;
        }
        column = relation->veils[index];
    }
    if (column != nullptr && target.has_indirection) {
        draft_.refuse(Use::kSubfield, column, target.begin);
        return;
    }
    const bool is_multi = std::holds_alternative<parse::MultiAssignment>(target.value->node);
    if (column != nullptr && is_multi) {
        draft_.refuse(Use::kMultiAssignment, column, target.begin);
        return;
    }
    const Value value = open_expression(*target.value, scope);
    if (column != nullptr && std::holds_alternative<parse::Default>(target.value->node)) {
        return;
    }
    RowKeys keys = needs_row(column, *target.value) ? updated_row(column, row, scope) : RowKeys();
    assign(column, value, target.value->begin, std::move(keys));
}

void Query::delete_from(const parse::Delete& statement) {
    common_tables_.emplace_back();
    add_common_tables(statement.with, nullptr);
    Scope scope;
    add_range(range_of(statement.target), scope);
    from(statement.from, scope);
    condition(statement.where, scope);
    returning(statement.returning, scope);
    common_tables_.pop_back();
}

void Query::returning(const std::vector<parse::Target>& list, const Scope& scope) {
    if (!list.empty()) {
        set_results(targets(list, scope), nullptr);
    }
}

}  // namespace pgveil::analysis
