#include "sql/analysis/query.hpp"

// What COPY reads or fills.
namespace pgveil::analysis {

bool Query::copied(const parse::Statement& query) {
    if (const auto* const select_node = std::get_if<std::unique_ptr<parse::Select>>(&query.node)) {
        select(**select_node);
    } else if (const auto* const insert_node = std::get_if<parse::Insert>(&query.node)) {
        insert(*insert_node);
    } else if (const auto* const update_node = std::get_if<parse::Update>(&query.node)) {
        update(*update_node);
    } else if (const auto* const delete_node = std::get_if<parse::Delete>(&query.node)) {
        delete_from(*delete_node);
    } else {
        return false;
    }
    return true;
}

const KnownRelation* Query::copied(
    const parse::TableReference& table, const parse::ExpressionPtr& where
) {
    Scope scope;
    add_range(range_of(table), scope);
    condition(where, scope);
    return read_.empty() ? nullptr : read_.front().known;
}

}  // namespace pgveil::analysis
