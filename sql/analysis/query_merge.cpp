#include "sql/analysis/query.hpp"

// MERGE.
namespace pgveil::analysis {

void Query::merge(const parse::Merge& statement) {
    common_tables_.emplace_back();
    add_common_tables(statement.with, nullptr);
    Scope source;
    from_item(*statement.source, source);
    Scope both = source;
    const Range target = range_of(statement.target);
    // What ON demands holds for every row that is changed.
    const UpdatedRow row{
        changed(statement.target), read_.size(), statement.condition.get(), nullptr};
    add_range(target, both);
    condition(statement.condition, both);
    for (const parse::Merge::Action& action : statement.actions) {
        merge_action(action, row, source, both);
    }
    common_tables_.pop_back();
}

void Query::merge_action(
    const parse::Merge::Action& action,
    const UpdatedRow& row,
    const Scope& source,
    const Scope& both
) {
    using Kind = parse::Merge::Action::Kind;
    condition(action.condition, action.is_matched ? both : source);
    if (action.kind == Kind::kUpdate) {
        assign_targets(action.targets, row, both);
    } else if (action.kind == Kind::kInsert) {
        const std::vector<ColumnPtr> columns = target_columns(action.targets, row.relation);
        refuse_surplus(action.values.size(), columns.size(), row.relation, [&](std::size_t i) {
            return action.values[i]->begin;
        });
        insert_row(action.values, columns, key_places(action.targets, row.relation), source);
    }
}

}  // namespace pgveil::analysis
