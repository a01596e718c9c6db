#include "sql/analysis/query.hpp"

#include <algorithm>

// WITH: queries, statements that change rows, and recursion.
namespace pgveil::analysis {

void Query::add_common_tables(const parse::With& with, const Scope* outer) {
    for (const parse::CommonTable& table : with.tables) {
        if (with.recursive) {
            common_tables_.back().pending.insert(table.name);
        }
    }
    for (const parse::CommonTable& table : with.tables) {
        Output output =
            with.recursive ? recursive_table(table, outer) : common_table(*table.query, outer);
        name_common_table(table, std::move(output), common_tables_.back());
        add_traversal(table, common_tables_.back().tables.at(table.name));
    }
}

Query::Output Query::common_table(const parse::Statement& statement, const Scope* outer) {
    if (const auto* const nested = std::get_if<std::unique_ptr<parse::Select>>(&statement.node)) {
        return *nested == nullptr ? Output() : query(**nested, outer);
    }
    if (const auto* const nested = std::get_if<parse::Insert>(&statement.node)) {
        return insert_rows(*nested);
    }
    if (const auto* const nested = std::get_if<parse::Update>(&statement.node)) {
        return update_rows(*nested);
    }
    if (const auto* const nested = std::get_if<parse::Delete>(&statement.node)) {
        return delete_rows(*nested);
    }
    draft_.refuse(refusal_of(
        "a statement on encrypted columns",
        "this command in WITH",
        "use SELECT, INSERT, UPDATE or DELETE there",
        parse::kNowhere
    ));
    return {};
}

/// The columns of the table are those of the first query, which the second one may read.
Query::Output Query::recursive_table(const parse::CommonTable& table, const Scope* outer) {
    const auto* const nested = std::get_if<std::unique_ptr<parse::Select>>(&table.query->node);
    if (nested == nullptr || *nested == nullptr ||
        (*nested)->operation != parse::Select::SetOperation::kUnion) {
        return common_table(*table.query, outer);
    }
    const parse::Select& statement = **nested;
    common_tables_.emplace_back();
    add_common_tables(statement.with, outer);
    Output output = set_operation(statement, outer, &table);
    common_tables_.pop_back();
    return output;
}

/// SEARCH and CYCLE put the values of their columns into records, in which nothing is opened.
void Query::add_traversal(const parse::CommonTable& table, Output& output) {
    if (!table.traversal) {
        return;
    }
    for (const NamedValue& column : output.columns) {
        const bool may_be_it =
            output.is_opaque || std::ranges::find(table.traversal->compared, column.name) !=
                                    table.traversal->compared.end();
        if (may_be_it && column.value.column != nullptr) {
            draft_.refuse(
                "SEARCH or CYCLE by the column",
                "name plain columns in the clause",
                column.value.column,
                parse::kNowhere
            );
        }
    }
    plain_all(table.traversal->values, Scope(), Use::kConstruct);
    for (const std::string& name : table.traversal->added) {
        output.columns.push_back({name, {}});
    }
    output.added = table.traversal->added.size();
}

void Query::name_common_table(
    const parse::CommonTable& table, Output output, CommonTableScope& level
) {
    for (NamedValue& column : output.columns) {
        column.value.adaptables.clear();
        column.value.list.reset();
        column.value.origin = {};
        column.value.stored = {};  // read twice, it is two rows
    }
    name_columns(output.columns, parse::Alias{table.name, table.columns});
    level.pending.erase(table.name);
    level.tables.insert_or_assign(table.name, std::move(output));
}

/// True if the name means a table of WITH, which is then in the scope.
bool Query::from_common_table(const parse::TableReference& table, Scope& scope) {
    if (!table.schema.empty() || !table.database.empty()) {
        return false;
    }
    const auto innermost = common_tables_.rbegin();
    for (auto level = innermost; level != common_tables_.rend(); ++level) {
        const auto common = level->tables.find(table.name);
        if (common != level->tables.end()) {
            if (common->second.is_silent) {
                draft_.refuse(postgres_error(
                    "0A000",
                    "WITH query \"" + table.name + "\" does not have a RETURNING clause",
                    table.begin
                ));
            }
            Range range{
                table.alias.name.empty() ? table.name : table.alias.name,
                {},
                common->second.columns,
                common->second.is_opaque};
            if (level != innermost) {
                range.columns.resize(range.columns.size() - common->second.added);
            }
            name_columns(range.columns, table.alias);
            add_range(std::move(range), scope);
            return true;
        }
        if (level->pending.contains(table.name)) {
            draft_.refuse(refusal_of(
                table.name,
                "a table of WITH RECURSIVE before it is defined",
                "write the tables in the order in which they use each other, each recursive one "
                "as first query UNION [ALL] query of itself",
                table.begin
            ));
            return true;
        }
    }
    return false;
}

}  // namespace pgveil::analysis
