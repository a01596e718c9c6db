#include "sql/parse/raw.hpp"

#include <memory>
#include <utility>

namespace pgveil::parse {

namespace {

Alteration::Kind kind_of_alteration(AlterTableType type) {
    using Kind = Alteration::Kind;
    switch (static_cast<int>(type)) {
        case AT_AddColumn: return Kind::kAddColumn;
        case AT_DropColumn: return Kind::kDropColumn;
        case AT_AddConstraint: return Kind::kAddConstraint;
        case AT_DropConstraint: return Kind::kDropConstraint;
        case AT_AttachPartition: return Kind::kAttachPartition;
        case AT_DetachPartition:
        case AT_DetachPartitionFinalize: return Kind::kDetachPartition;
        case AT_AddInherit: return Kind::kInherit;
        case AT_DropInherit: return Kind::kNoInherit;
        case AT_SetNotNull:
        case AT_DropNotNull: return Kind::kNotNull;
        case AT_ColumnDefault: return Kind::kDefault;
        case AT_AlterColumnType: return Kind::kType;
        case AT_AddIdentity: return Kind::kIdentity;
        case AT_SetStorage:
        case AT_SetCompression: return Kind::kStorage;
        case AT_ValidateConstraint:
        case AT_AlterConstraint:
        case AT_SetStatistics:
        case AT_SetOptions:
        case AT_ResetOptions:
        case AT_ChangeOwner:
        case AT_ClusterOn:
        case AT_DropCluster:
        case AT_SetLogged:
        case AT_SetUnLogged:
        case AT_SetTableSpace:
        case AT_SetRelOptions:
        case AT_ResetRelOptions:
        case AT_EnableTrig:
        case AT_EnableAlwaysTrig:
        case AT_EnableReplicaTrig:
        case AT_DisableTrig:
        case AT_EnableTrigAll:
        case AT_DisableTrigAll:
        case AT_EnableTrigUser:
        case AT_DisableTrigUser:
        case AT_ReplicaIdentity:
        case AT_SetIdentity:
        case AT_DropIdentity:
        case AT_EnableRowSecurity:
        case AT_DisableRowSecurity:
        case AT_ForceRowSecurity:
        case AT_NoForceRowSecurity: return Kind::kProperty;
        default: return Kind::kOther;
    }
}

}  // namespace

AlterTable RawReader::alter_table(const AlterTableStmt& raw) {
    AlterTable result;
    result.target = target(raw.relation);
    result.if_exists = raw.missing_ok;
    for (const void* element : elements_of(raw.cmds)) {
        result.actions.push_back(alteration(*node_as<AlterTableCmd>(element)));
    }
    return result;
}

Alteration RawReader::alteration(const AlterTableCmd& raw) {
    using Kind = Alteration::Kind;
    Alteration result;
    result.kind = kind_of_alteration(raw.subtype);
    result.name = text_or_empty(raw.name);
    switch (result.kind) {
        case Kind::kAddColumn:
            result.column = column_definition(*node_as<ColumnDef>(raw.def));
            result.name = result.column.name;
            break;
        case Kind::kType: {
            const auto& definition = *node_as<ColumnDef>(raw.def);
            result.column = column_definition(definition);
            result.expression = expression(definition.raw_default);
            break;
        }
        case Kind::kAddConstraint:
            result.constraint = constraint(*node_as<::Constraint>(raw.def));
            break;
        case Kind::kDefault: result.expression = expression(raw.def); break;
        case Kind::kAttachPartition:
        case Kind::kDetachPartition: {
            const auto& partition = *node_as<PartitionCmd>(raw.def);
            result.related = table(partition.name);
            if (partition.bound != nullptr) {
                result.bounds = partition_bounds(*partition.bound);
            }
            break;
        }
        case Kind::kInherit:
        case Kind::kNoInherit: result.related = table(node_as<RangeVar>(raw.def)); break;
        case Kind::kDropColumn:
        case Kind::kDropConstraint:
        case Kind::kNotNull:
        case Kind::kIdentity:
        case Kind::kStorage:
        case Kind::kProperty: break;
        case Kind::kOther: note_unknown();
    }
    return result;
}

bool RawReader::read_rename(const RenameStmt& raw, Statement& into) {
    using Kind = Rename::Kind;
    const bool is_column = raw.renameType == OBJECT_COLUMN && raw.relationType == OBJECT_TABLE;
    const bool is_constraint = raw.renameType == OBJECT_TABCONSTRAINT;
    if ((!is_column && !is_constraint && raw.renameType != OBJECT_TABLE) ||
        raw.relation == nullptr) {
        return false;
    }
    const Kind kind = is_column ? Kind::kColumn : is_constraint ? Kind::kConstraint : Kind::kTable;
    into.node = Rename{
        kind,
        table(raw.relation),
        text_or_empty(raw.subname),
        text_or_empty(raw.newname),
        raw.missing_ok};
    return true;
}

bool RawReader::read_move(const AlterObjectSchemaStmt& raw, Statement& into) {
    if (raw.objectType != OBJECT_TABLE || raw.relation == nullptr) {
        return false;
    }
    into.node = Rename{
        Rename::Kind::kSchema,
        table(raw.relation),
        {},
        text_or_empty(raw.newschema),
        raw.missing_ok};
    return true;
}

}  // namespace pgveil::parse
