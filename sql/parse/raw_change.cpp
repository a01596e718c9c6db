#include "sql/parse/raw.hpp"

#include <memory>
#include <utility>

// The statements that change rows.
namespace pgveil::parse {

Insert RawReader::insert(const InsertStmt& raw) {
    Insert result;
    const CommonTables scope(*this);
    result.with = with(raw.withClause);
    result.target = target(raw.relation);
    result.columns = targets(raw.cols);
    result.source = raw.selectStmt == nullptr ? nullptr : select(raw.selectStmt);
    if (raw.onConflictClause != nullptr) {
        result.on_conflict = on_conflict(*raw.onConflictClause);
    }
    result.returning = targets(raw.returningList);
    return result;
}

Update RawReader::update(const UpdateStmt& raw) {
    Update result;
    const CommonTables scope(*this);
    result.with = with(raw.withClause);
    result.target = target(raw.relation);
    result.assignments = targets(raw.targetList);
    result.from = from_items(raw.fromClause);
    result.where = expression(raw.whereClause);
    result.returning = targets(raw.returningList);
    return result;
}

Delete RawReader::delete_from(const DeleteStmt& raw) {
    Delete result;
    const CommonTables scope(*this);
    result.with = with(raw.withClause);
    result.target = target(raw.relation);
    result.from = from_items(raw.usingClause);
    result.where = expression(raw.whereClause);
    result.returning = targets(raw.returningList);
    return result;
}

IndexElement RawReader::index_element(const IndexElem& raw) {
    IndexElement element;
    element.column = text_or_empty(raw.name);
    element.expression = expression(raw.expr);
    element.has_collation = raw.collation != nullptr;
    element.operator_class = names_of(raw.opclass);
    return element;
}

OnConflict RawReader::on_conflict(const OnConflictClause& raw) {
    OnConflict result;
    result.updates = raw.action == ONCONFLICT_UPDATE;
    if (raw.infer != nullptr) {
        for (const void* element : elements_of(raw.infer->indexElems)) {
            result.elements.push_back(index_element(*node_as<IndexElem>(element)));
        }
        result.index_condition = expression(raw.infer->whereClause);
    }
    result.assignments = targets(raw.targetList);
    result.where = expression(raw.whereClause);
    return result;
}

Merge RawReader::merge(const MergeStmt& raw) {
    Merge result;
    const CommonTables scope(*this);
    result.with = with(raw.withClause);
    result.target = target(raw.relation);
    result.source = from_item(raw.sourceRelation);
    result.condition = expression(raw.joinCondition);
    for (const void* element : elements_of(raw.mergeWhenClauses)) {
        const auto& clause = *node_as<MergeWhenClause>(element);
        Merge::Action action;
        switch (static_cast<int>(clause.commandType)) {
            case CMD_UPDATE: action.kind = Merge::Action::Kind::kUpdate; break;
            case CMD_INSERT: action.kind = Merge::Action::Kind::kInsert; break;
            case CMD_DELETE: action.kind = Merge::Action::Kind::kDelete; break;
            default: action.kind = Merge::Action::Kind::kNothing;
        }
        action.is_matched = clause.matched;
        action.condition = expression(clause.condition);
        action.targets = targets(clause.targetList);
        action.values = expressions(clause.values);
        result.actions.push_back(std::move(action));
    }
    return result;
}

}  // namespace pgveil::parse
