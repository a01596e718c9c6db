#include "sql/parse/raw.hpp"

#include <memory>
#include <utility>

namespace pgveil::parse {

Statement RawReader::statement(const void* node) {
    Statement result;
    if (node == nullptr) {
        return result;
    }
    inventory_ = {};
    read_statement(node, result);
    result.inventory = std::move(inventory_);
    return result;
}

namespace {

Transaction::Kind kind_of_transaction(TransactionStmtKind kind) {
    switch (kind) {
        case TRANS_STMT_BEGIN:
        case TRANS_STMT_START: return Transaction::Kind::kBegin;
        case TRANS_STMT_COMMIT: return Transaction::Kind::kCommit;
        case TRANS_STMT_ROLLBACK: return Transaction::Kind::kRollback;
        case TRANS_STMT_SAVEPOINT: return Transaction::Kind::kSavepoint;
        case TRANS_STMT_RELEASE: return Transaction::Kind::kRelease;
        case TRANS_STMT_ROLLBACK_TO: return Transaction::Kind::kRollbackTo;
        case TRANS_STMT_PREPARE: return Transaction::Kind::kPrepare;
        case TRANS_STMT_COMMIT_PREPARED: return Transaction::Kind::kCommitPrepared;
        case TRANS_STMT_ROLLBACK_PREPARED: return Transaction::Kind::kRollbackPrepared;
    }
    return Transaction::Kind::kRollbackPrepared;
}

VariableSet::Kind kind_of_set(VariableSetKind kind) {
    switch (kind) {
        case VAR_SET_VALUE: return VariableSet::Kind::kValue;
        case VAR_SET_DEFAULT: return VariableSet::Kind::kDefault;
        case VAR_SET_CURRENT: return VariableSet::Kind::kCurrent;
        case VAR_SET_MULTI: return VariableSet::Kind::kMulti;
        case VAR_RESET: return VariableSet::Kind::kReset;
        case VAR_RESET_ALL: return VariableSet::Kind::kResetAll;
    }
    return VariableSet::Kind::kCurrent;
}

Constraint::Kind kind_of_constraint(ConstrType type) {
    switch (type) {
        case CONSTR_NULL: return Constraint::Kind::kNull;
        case CONSTR_NOTNULL: return Constraint::Kind::kNotNull;
        case CONSTR_DEFAULT: return Constraint::Kind::kDefault;
        case CONSTR_IDENTITY: return Constraint::Kind::kIdentity;
        case CONSTR_GENERATED: return Constraint::Kind::kGenerated;
        case CONSTR_CHECK: return Constraint::Kind::kCheck;
        case CONSTR_PRIMARY: return Constraint::Kind::kPrimaryKey;
        case CONSTR_UNIQUE: return Constraint::Kind::kUnique;
        case CONSTR_EXCLUSION: return Constraint::Kind::kExclude;
        case CONSTR_FOREIGN: return Constraint::Kind::kForeignKey;
        case CONSTR_ATTR_DEFERRABLE:
        case CONSTR_ATTR_NOT_DEFERRABLE:
        case CONSTR_ATTR_DEFERRED:
        case CONSTR_ATTR_IMMEDIATE: return Constraint::Kind::kAttribute;
    }
    return Constraint::Kind::kOther;
}

}  // namespace

bool RawReader::read_command(const void* node, Statement& into) {
    Harmless harmless;
    if (read_harmless(node, harmless)) {
        into.node = std::move(harmless);
        return true;
    }
    switch (static_cast<int>(tag_of(node))) {
        case T_CreateStmt: into.node = create_table(*node_as<CreateStmt>(node)); return true;
        case T_IndexStmt: into.node = create_index(*node_as<IndexStmt>(node)); return true;
        case T_AlterTableStmt:
            if (node_as<AlterTableStmt>(node)->objtype != OBJECT_TABLE) {
                return false;
            }
            into.node = alter_table(*node_as<AlterTableStmt>(node));
            return true;
        case T_RenameStmt: return read_rename(*node_as<RenameStmt>(node), into);
        case T_AlterObjectSchemaStmt: return read_move(*node_as<AlterObjectSchemaStmt>(node), into);
        case T_CopyStmt: into.node = copy(*node_as<CopyStmt>(node)); return true;
        case T_VariableSetStmt:
            into.node = variable_set(*node_as<VariableSetStmt>(node));
            return true;
        case T_VariableShowStmt:
            into.node = VariableShow{text_or_empty(node_as<VariableShowStmt>(node)->name)};
            return true;
        case T_TransactionStmt:
            into.node = Transaction{kind_of_transaction(node_as<TransactionStmt>(node)->kind)};
            return true;
        case T_TruncateStmt: {
            Truncate truncate;
            for (const void* element : elements_of(node_as<TruncateStmt>(node)->relations)) {
                truncate.targets.push_back(table(node_as<RangeVar>(element)));
            }
            into.node = std::move(truncate);
            return true;
        }
        default: return false;
    }
}

VariableSet RawReader::variable_set(const VariableSetStmt& raw) {
    return VariableSet{kind_of_set(raw.kind), text_or_empty(raw.name), expressions(raw.args)};
}

CreateTable RawReader::create_table(const CreateStmt& raw) {
    CreateTable result;
    result.target = table(raw.relation);
    result.is_temporary = raw.relation != nullptr && raw.relation->relpersistence == 't';
    for (const void* element : elements_of(raw.tableElts)) {
        switch (static_cast<int>(tag_of(element))) {
            case T_ColumnDef:
                result.columns.push_back(column_definition(*node_as<ColumnDef>(element)));
                break;
            case T_Constraint:
                result.constraints.push_back(constraint(*node_as<::Constraint>(element)));
                break;
            case T_TableLikeClause:
                result.likes.push_back(like_clause(*node_as<TableLikeClause>(element)));
                break;
            default: note_unknown();
        }
    }
    for (const void* element : elements_of(raw.constraints)) {
        result.constraints.push_back(constraint(*node_as<::Constraint>(element)));
    }
    for (const void* element : elements_of(raw.inhRelations)) {
        result.parents.push_back(table(node_as<RangeVar>(element)));
    }
    result.is_partition = raw.partbound != nullptr;
    if (raw.partbound != nullptr) {
        result.partition_bounds = partition_bounds(*raw.partbound);
    }
    result.is_of_type = raw.ofTypename != nullptr;
    if (raw.ofTypename != nullptr) {
        static_cast<void>(type_name(raw.ofTypename));
    }
    if (raw.partspec != nullptr) {
        result.partition_strategy = text_or_empty(raw.partspec->strategy);
        for (const void* element : elements_of(raw.partspec->partParams)) {
            const auto& part = *node_as<PartitionElem>(element);
            result.has_partition_options = result.has_partition_options ||
                                           part.collation != nullptr || part.opclass != nullptr;
            auto key = std::make_unique<Expression>();
            key->node = ColumnReference{{text_or_empty(part.name)}, false};
            result.partition_keys.push_back(
                part.expr == nullptr ? std::move(key) : expression(part.expr)
            );
        }
    }
    return result;
}

LikeClause RawReader::like_clause(const TableLikeClause& raw) {
    return LikeClause{
        table(raw.relation),
        (raw.options & CREATE_TABLE_LIKE_DEFAULTS) != 0,
        (raw.options & CREATE_TABLE_LIKE_CONSTRAINTS) != 0};
}

Expressions RawReader::partition_bounds(const PartitionBoundSpec& raw) {
    Expressions result;
    for (const List* list : {raw.listdatums, raw.lowerdatums, raw.upperdatums}) {
        for (auto& item : expressions(list)) {
            result.push_back(std::move(item));
        }
    }
    return result;
}

ColumnDefinition RawReader::column_definition(const ColumnDef& raw) {
    ColumnDefinition result;
    result.name = text_or_empty(raw.colname);
    result.type = type_name(raw.typeName);
    result.has_collation = raw.collClause != nullptr;
    result.has_storage =
        raw.compression != nullptr || raw.storage != 0 || raw.fdwoptions != nullptr;
    result.begin = offset_of(raw.location);
    for (const void* element : elements_of(raw.constraints)) {
        result.constraints.push_back(constraint(*node_as<::Constraint>(element)));
    }
    return result;
}

Constraint RawReader::constraint(const ::Constraint& raw) {
    Constraint result;
    result.kind = kind_of_constraint(raw.contype);
    result.expression = expression(raw.raw_expr);
    result.begin = offset_of(raw.location);
    result.keys = names_of(raw.contype == CONSTR_FOREIGN ? raw.fk_attrs : raw.keys);
    result.included = names_of(raw.including);
    if (raw.pktable != nullptr) {
        result.referenced = table(raw.pktable);
    }
    result.referenced_columns = names_of(raw.pk_attrs);
    for (const void* pair : elements_of(raw.exclusions)) {
        const auto parts = elements_of(node_as<List>(pair));  // and its operator
        result.excluded.push_back(index_element(*node_as<IndexElem>(parts.front())));
    }
    if (raw.contype == CONSTR_EXCLUSION) {
        result.expression = expression(raw.where_clause);
    }
    return result;
}

CreateIndex RawReader::create_index(const IndexStmt& raw) {
    CreateIndex result;
    result.target = target(raw.relation);
    result.method = text_or_empty(raw.accessMethod);
    result.unique = raw.unique;
    for (const void* element : elements_of(raw.indexParams)) {
        result.elements.push_back(index_element(*node_as<IndexElem>(element)));
    }
    for (const void* element : elements_of(raw.indexIncludingParams)) {
        result.included.push_back(text_or_empty(node_as<IndexElem>(element)->name));
    }
    result.predicate = expression(raw.whereClause);
    return result;
}

}  // namespace pgveil::parse
