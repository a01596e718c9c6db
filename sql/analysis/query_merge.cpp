#include "sql/analysis/query.hpp"
#include "sql/analysis/rejection.hpp"

// MERGE.
namespace pgveil::analysis {

namespace {

/// PostgreSQL 14 does not know MERGE: the text must not leave to prove it.
Rejection unknown_merge(const parse::Tokens& tokens, std::uint32_t begin) {
    std::size_t index = 0;
    while (index + 1 < tokens.size() &&
           (tokens[index].begin < begin || !tokens.is_word(index, "merge"))) {
        ++index;
    }
    return postgres_error(
        "42601",
        "syntax error at or near \"" + std::string(tokens.text_of(tokens[index])) + "\"",
        tokens[index].begin
    );
}

}  // namespace

void Query::merge(const parse::Merge& statement) {
    const int server = draft_.text().context.server_major;
    if (server != 0 && server < 15) {
        draft_.refuse(unknown_merge(draft_.text().tokens, draft_.plan().begin));
        return;
    }
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
