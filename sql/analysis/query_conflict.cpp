#include "sql/analysis/query.hpp"
#include "sql/analysis/written_column.hpp"

#include <algorithm>

// INSERT ... ON CONFLICT.
namespace pgveil::analysis {

namespace {

/// The columns by which a stored row conflicts, if they are whole columns and nothing else.
parse::Names keys_of(const parse::OnConflict& clause) {
    parse::Names keys;
    for (const parse::IndexElement& element : clause.elements) {
        if (element.column.empty() || element.is_decorated()) {
            return {};
        }
        keys.push_back(element.column);
    }
    return keys;
}

/// The conflict says that the stored row and the inserted one agree in every key of bind_to.
bool agrees_in_keys(const field::ProtectedColumn& column, const parse::Names& keys) {
    return std::ranges::all_of(column.bind_to, [&keys](const std::string& name) {
        return std::ranges::find(keys, name) != keys.end();
    });
}

}  // namespace

void Query::on_conflict(
    const parse::Insert& statement,
    const Range& target,
    const KnownRelation* relation,
    const KeyPlaces& places
) {
    const parse::OnConflict& clause = *statement.on_conflict;
    Scope scope;
    add_range(target, scope);
    conflict_target(clause, relation, scope);
    Range excluded = target;
    excluded.alias = "excluded";
    excluded.schema.clear();
    ConflictingRow conflict{keys_of(clause), nullptr, &places, 0};
    const parse::Select* const source = statement.source.get();
    if (source != nullptr && source->values.size() == 1) {
        conflict.inserted = &source->values.front();
    }
    if (relation != nullptr) {
        read_.push_back(read_relation(excluded, *relation));
        conflict.excluded = read_.size();
        for (NamedValue& column : excluded.columns) {
            column.value.origin.relation = conflict.excluded;
        }
    }
    add_range(std::move(excluded), scope);
    assign_targets(clause.assignments, UpdatedRow{relation, 0, nullptr, &conflict}, scope);
    condition(clause.where, scope);
}

void Query::conflict_target(
    const parse::OnConflict& clause, const KnownRelation* relation, const Scope& scope
) {
    for (const parse::IndexElement& element : clause.elements) {
        if (element.expression != nullptr) {
            plain(*element.expression, scope, Use::kOnConflict, "ON CONFLICT (expression)");
        }
        const std::size_t index =
            relation == nullptr ? 0 : index_of(*relation->relation, element.column);
        if (relation == nullptr || index == relation->veils.size()) {
            continue;
        }
        const ColumnPtr& column = relation->veils[index];
        draft_.require(Use::kOnConflict, column, parse::kNowhere);
        if (column != nullptr && element.is_decorated()) {
            draft_.refuse(
                "ON CONFLICT with COLLATE or an operator class",
                "leave them out: the stored value is bytea",
                column,
                parse::kNowhere
            );
        }
    }
    condition(clause.index_condition, scope);
}

/// The keys of the stored row, which are those of the one that was to be inserted.
RowKeys Query::conflicting_row(const ColumnPtr& column, const ConflictingRow& row) {
    if (!agrees_in_keys(*column, row.keys)) {
        draft_.refuse(
            "DO UPDATE of a row whose key is not known",
            "name all columns of its bind_to in ON CONFLICT (...): the value is sealed for its row",
            column,
            parse::kNowhere
        );
        return {};
    }
    if (row.inserted == nullptr) {
        draft_.refuse(
            "DO UPDATE with a constant or parameter for several rows",
            "assign excluded." + column->name + ", or insert one row of VALUES at a time",
            column,
            parse::kNowhere
        );
        return {};
    }
    return inserted_row(column, *row.inserted, *row.places);
}

/// `excluded.x` was sealed for the inserted row, whose keys are those of the stored one.
bool Query::is_excluded_value(const ColumnPtr& column, const Value& value, const UpdatedRow& row) {
    const bool is_excluded = row.conflict != nullptr && value.column != nullptr &&
                             value.origin.relation == row.conflict->excluded;
    return is_excluded && column != nullptr && column->is_bound() &&
           agrees_in_keys(*column, row.conflict->keys) && value.column->name == column->name;
}

/// `SET id = excluded.id`, where id is what the rows conflict by, changes nothing.
bool Query::is_excluded_key(const std::string& name, const Value& value, const UpdatedRow& row) {
    if (row.conflict == nullptr || value.origin.relation != row.conflict->excluded ||
        value.origin == Origin()) {
        return false;
    }
    const auto& keys = row.conflict->keys;
    return row.relation->relation->columns[value.origin.column].name == name &&
           std::ranges::find(keys, name) != keys.end();
}

}  // namespace pgveil::analysis
