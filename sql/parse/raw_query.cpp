#include "sql/parse/raw.hpp"

#include <memory>
#include <utility>

namespace pgveil::parse {

std::unique_ptr<Select> RawReader::select(const void* node) {
    auto result = std::make_unique<Select>();
    const Level level(*this);
    if (!level) {
        return result;
    }
    if (node == nullptr || tag_of(node) != T_SelectStmt) {
        note_unknown();
        return result;
    }
    const auto& raw = *node_as<SelectStmt>(node);
    const CommonTables scope(*this);
    result->with = with(raw.withClause);
    switch (raw.op) {
        case SETOP_NONE: break;
        case SETOP_UNION: result->operation = Select::SetOperation::kUnion; break;
        case SETOP_INTERSECT: result->operation = Select::SetOperation::kIntersect; break;
        case SETOP_EXCEPT: result->operation = Select::SetOperation::kExcept; break;
    }
    result->operation_all = raw.all;
    if (raw.op != SETOP_NONE) {
        result->left = select(raw.larg);
        result->right = select(raw.rarg);
    }
    read_select_clauses(raw, *result);
    return result;
}

void RawReader::read_select_clauses(const SelectStmt& raw, Select& into) {
    for (const void* row : elements_of(raw.valuesLists)) {
        into.values.push_back(expressions(node_as<List>(row)));
    }
    into.distinct = raw.distinctClause != nullptr;
    into.distinct_on = expressions(raw.distinctClause);
    into.targets = targets(raw.targetList);
    into.has_into = raw.intoClause != nullptr;
    into.from = from_items(raw.fromClause);
    into.where = expression(raw.whereClause);
    into.group_by = expressions(raw.groupClause);
    into.having = expression(raw.havingClause);
    for (const void* item : elements_of(raw.windowClause)) {
        into.windows.push_back(window(*node_as<WindowDef>(item)));
    }
    into.order_by = expressions(raw.sortClause);
    into.has_locks = raw.lockingClause != nullptr;
    for (const Node* limit : {raw.limitCount, raw.limitOffset}) {
        if (auto item = expression(limit)) {
            into.limits.push_back(std::move(item));
        }
    }
}

With RawReader::with(const WithClause* clause) {
    With result;
    if (clause == nullptr) {
        return result;
    }
    result.recursive = clause->recursive;
    const auto tables = elements_of(clause->ctes);
    for (const void* element : result.recursive ? tables : std::vector<const void*>()) {
        common_tables_.push(text_or_empty(node_as<CommonTableExpr>(element)->ctename));
    }
    for (const void* element : tables) {
        const auto& raw = *node_as<CommonTableExpr>(element);
        CommonTable table;
        table.name = text_or_empty(raw.ctename);
        table.columns = names_of(raw.aliascolnames);
        table.traversal = traversal(raw);
        table.query = std::make_unique<Statement>();
        const Level level(*this);
        if (level && raw.ctequery != nullptr && !read_query(raw.ctequery, *table.query)) {
            note_unknown();
        }
        common_tables_.push(table.name);
        result.tables.push_back(std::move(table));
    }
    return result;
}

std::optional<Traversal> RawReader::traversal(const CommonTableExpr& raw) {
    if (raw.search_clause == nullptr && raw.cycle_clause == nullptr) {
        return std::nullopt;
    }
    Traversal result;
    if (const CTESearchClause* const search = raw.search_clause) {
        result.compared = names_of(search->search_col_list);
        result.added.push_back(text_or_empty(search->search_seq_column));
    }
    if (const CTECycleClause* const cycle = raw.cycle_clause) {
        const Names compared = names_of(cycle->cycle_col_list);
        result.compared.insert(result.compared.end(), compared.begin(), compared.end());
        result.added.push_back(text_or_empty(cycle->cycle_mark_column));
        result.added.push_back(text_or_empty(cycle->cycle_path_column));
        for (const Node* value : {cycle->cycle_mark_value, cycle->cycle_mark_default}) {
            if (auto item = expression(value)) {
                result.values.push_back(std::move(item));
            }
        }
    }
    return result;
}

std::vector<Target> RawReader::targets(const List* list) {
    std::vector<Target> result;
    for (const void* element : elements_of(list)) {
        const auto& raw = *node_as<ResTarget>(element);
        Target target;
        target.name = text_or_empty(raw.name);
        target.has_indirection = raw.indirection != nullptr;
        target.begin = offset_of(raw.location);
        target.subscripts = subscripts(raw.indirection);
        target.value = expression(raw.val);
        result.push_back(std::move(target));
    }
    return result;
}

bool RawReader::read_query(const void* node, Statement& into) {
    switch (static_cast<int>(tag_of(node))) {
        case T_SelectStmt: into.node = select(node); return true;
        case T_InsertStmt: into.node = insert(*node_as<InsertStmt>(node)); return true;
        case T_UpdateStmt: into.node = update(*node_as<UpdateStmt>(node)); return true;
        case T_DeleteStmt: into.node = delete_from(*node_as<DeleteStmt>(node)); return true;
        case T_MergeStmt: into.node = merge(*node_as<MergeStmt>(node)); return true;
        default: into.node = other_command(node); return false;
    }
}

}  // namespace pgveil::parse
