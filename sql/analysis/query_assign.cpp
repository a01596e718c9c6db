#include "sql/analysis/list_position.hpp"
#include "sql/analysis/query.hpp"
#include "sql/analysis/written_column.hpp"

#include <algorithm>

// SET of UPDATE, ON CONFLICT and MERGE.
namespace pgveil::analysis {

namespace {

/// A further column of `(a, b) = source`.
bool continues_list(const parse::Target& target) {
    const auto* const multi = std::get_if<parse::MultiAssignment>(&target.value->node);
    return multi != nullptr && multi->source == nullptr;
}

const parse::Expressions* parts_of_row(const parse::Expression& source) {
    const auto* const construct = std::get_if<parse::Construct>(&source.node);
    return construct != nullptr && construct->name == "row value" ? &construct->parts : nullptr;
}

Rejection wrong_number(std::uint32_t begin) {
    return postgres_error("42601", "number of columns does not match number of values", begin);
}

}  // namespace

void Query::assign_targets(
    const std::vector<parse::Target>& list, const UpdatedRow& row, const Scope& scope
) {
    const AssignedList assigned(draft_.parameters());
    std::size_t end = 0;
    for (std::size_t i = 0; i < list.size(); i = end) {
        end = i + 1;
        while (end < list.size() && continues_list(list[end])) {
            ++end;
        }
        if (std::holds_alternative<parse::MultiAssignment>(list[i].value->node)) {
            assign_together(std::span(list).subspan(i, end - i), row, scope);
        } else {
            assign_target(list[i], *list[i].value, row, scope);
        }
    }
}

/// `(a, b) = (x, y)` means the same as `a = x, b = y`.
void Query::assign_together(
    std::span<const parse::Target> list, const UpdatedRow& row, const Scope& scope
) {
    const auto& source = std::get<parse::MultiAssignment>(list.front().value->node).source;
    if (source == nullptr) {
        return;
    }
    if (const auto* const query = std::get_if<parse::SubQuery>(&source->node)) {
        assign_from_query(list, *query, row, scope);
        return;
    }
    const parse::Expressions* const parts = parts_of_row(*source);
    if (parts == nullptr) {
        draft_.refuse(postgres_error(
            "0A000",
            "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression",
            source->begin
        ));
        return;
    }
    if (parts->size() != list.size()) {
        draft_.refuse(wrong_number(source->begin));
        return;
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
        assign_target(list[i], *(*parts)[i], row, scope);
    }
}

void Query::assign_from_query(
    std::span<const parse::Target> list,
    const parse::SubQuery& source,
    const UpdatedRow& row,
    const Scope& scope
) {
    const Output output = query(*source.query, &scope);
    if (!output.is_opaque && output.columns.size() != list.size()) {
        draft_.refuse(wrong_number(list.front().begin));
        return;
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
        plain_all(list[i].subscripts, scope, Use::kConstruct);
        Value value = output.is_opaque ? Value() : output.columns[i].value;
        value.list.reset();
        value.origin = {};
        // A constant in there has a type of its own before it is assigned.
        if (value.is_adaptable() && !compares_column(*source.query, i, output.columns[i].name)) {
            value = chosen({value}, false, list[i].begin);
        } else {
            value.adaptables.clear();
        }
        if (const auto column = assigned_column(list[i], value, row)) {
            assign(*column, value, list[i].begin);
        }
    }
    const auto moved = std::ranges::find_if(output.columns, [](const NamedValue& column) {
        return column.value.column != nullptr;
    });
    if (output.is_opaque && moved != output.columns.end()) {
        draft_.refuse(
            "* from something unknown", "list the columns", moved->value.column, parse::kNowhere
        );
    }
}

void Query::assign_target(
    const parse::Target& target,
    const parse::Expression& source,
    const UpdatedRow& row,
    const Scope& scope
) {
    plain_all(target.subscripts, scope, Use::kConstruct);
    const Value value = open_expression(source, scope);
    const auto column = assigned_column(target, value, row);
    if (!column || std::holds_alternative<parse::Default>(source.node) ||
        is_excluded_value(*column, value, row)) {
        return;
    }
    RowKeys keys;
    if (needs_row(*column, source) && row.conflict == nullptr) {
        keys = updated_row(*column, row, scope);
    } else if (needs_row(*column, source) && value.column == nullptr) {
        keys = conflicting_row(*column, *row.conflict);
    }
    assign(*column, value, source.begin, std::move(keys));
}

/// Null for a plain column; nothing if that is refused.
std::optional<ColumnPtr> Query::assigned_column(
    const parse::Target& target, const Value& value, const UpdatedRow& row
) {
    if (row.relation == nullptr) {
        return ColumnPtr();
    }
    check_key_change(target, value, row);
    const std::size_t index = index_of(*row.relation->relation, target.name);
    if (index == row.relation->veils.size()) {
        draft_.refuse(postgres_error(
            "42703", missing_column(target.name, *row.relation->relation), target.begin
        ));
        return std::nullopt;
    }
    const ColumnPtr& column = row.relation->veils[index];
    if (column != nullptr && target.has_indirection) {
        draft_.refuse(Use::kSubfield, column, target.begin);
        return std::nullopt;
    }
    draft_.note_assigned(column);  // also where DEFAULT or an excluded value takes its place
    return column;
}

}  // namespace pgveil::analysis
