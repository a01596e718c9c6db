#include "sql/analysis/written_column.hpp"

#include "sql/analysis/constants.hpp"

#include <algorithm>

namespace pgveil::analysis {

parse::Inventory::Table written_relation(const parse::TableReference& target) {
    parse::Inventory::Table table{target.database, target.schema, target.name, target.begin};
    table.is_target = true;
    return table;
}

std::size_t index_of(const catalog::Relation& relation, const std::string& name) {
    const auto found =
        std::find_if(relation.columns.begin(), relation.columns.end(), [&name](const auto& column) {
            return column.name == name;
        });
    return static_cast<std::size_t>(found - relation.columns.begin());
}

bool needs_row(const ColumnPtr& column, const parse::Expression& value) {
    return column != nullptr && column->is_bound() && !is_null_constant(value);
}

std::string missing_column(const std::string& name, const catalog::Relation& relation) {
    return "column \"" + name + "\" of relation \"" + relation.name + "\" does not exist";
}

}  // namespace pgveil::analysis
