#include "sql/parse/raw.hpp"

#include <memory>
#include <utility>

// Definitions of views and materialized views.
namespace pgveil::parse {

namespace {

bool is_view(ObjectType type) {
    return type == OBJECT_VIEW || type == OBJECT_MATVIEW;
}

const RangeVar* target_of(const void* node) {
    switch (static_cast<int>(tag_of(node))) {
        case T_AlterTableStmt: return node_as<AlterTableStmt>(node)->relation;
        case T_RenameStmt: return node_as<RenameStmt>(node)->relation;
        case T_AlterObjectSchemaStmt: return node_as<AlterObjectSchemaStmt>(node)->relation;
        default: return node_as<RefreshMatViewStmt>(node)->relation;
    }
}

TableReference name_of(const RangeVar* range) {
    TableReference name;
    if (range != nullptr) {
        name.database = text_or_empty(range->catalogname);
        name.schema = text_or_empty(range->schemaname);
        name.name = text_or_empty(range->relname);
        name.begin = offset_of(range->location);
    }
    return name;
}

}  // namespace

bool RawReader::read_view(const void* node, Statement& into) {
    const bool is_view_query = tag_of(node) == T_ViewStmt;
    const bool is_stored = tag_of(node) == T_CreateTableAsStmt &&
                           node_as<CreateTableAsStmt>(node)->objtype == OBJECT_MATVIEW &&
                           node_as<CreateTableAsStmt>(node)->into != nullptr;
    if (is_view_query || is_stored) {
        into.node = create_view(node);
        return true;
    }
    if (alters_view(node)) {
        into.node = alter_view(node);
        return true;
    }
    return false;
}

CreateView RawReader::create_view(const void* node) {
    CreateView create;
    if (tag_of(node) == T_ViewStmt) {
        const auto& raw = *node_as<ViewStmt>(node);
        create.command = "CREATE VIEW";
        create.target = name_of(raw.view);
        create.source = nested(raw.query);
    } else {
        const auto& raw = *node_as<CreateTableAsStmt>(node);
        create.command = "CREATE MATERIALIZED VIEW";
        create.target = name_of(raw.into->rel);
        create.source = nested(raw.query);
    }
    return create;
}

bool RawReader::alters_view(const void* node) const {
    switch (static_cast<int>(tag_of(node))) {
        case T_AlterTableStmt: return is_view(node_as<AlterTableStmt>(node)->objtype);
        case T_RenameStmt: {
            const auto& raw = *node_as<RenameStmt>(node);
            const bool is_column = raw.renameType == OBJECT_COLUMN && is_view(raw.relationType);
            return raw.relation != nullptr && (is_column || is_view(raw.renameType));
        }
        case T_AlterObjectSchemaStmt:
            return node_as<AlterObjectSchemaStmt>(node)->relation != nullptr &&
                   is_view(node_as<AlterObjectSchemaStmt>(node)->objectType);
        default: return tag_of(node) == T_RefreshMatViewStmt;
    }
}

AlterView RawReader::alter_view(const void* node) {
    AlterView alter;
    alter.command = "ALTER VIEW";
    alter.target = target(target_of(node));
    if (tag_of(node) == T_RenameStmt) {
        const auto& raw = *node_as<RenameStmt>(node);
        if (raw.renameType != OBJECT_COLUMN) {
            alter.kind = AlterView::Kind::kRename;
            alter.new_name = text_or_empty(raw.newname);
        }
    } else if (tag_of(node) == T_AlterObjectSchemaStmt) {
        alter.kind = AlterView::Kind::kSchema;
        alter.new_name = text_or_empty(node_as<AlterObjectSchemaStmt>(node)->newschema);
    } else if (tag_of(node) == T_AlterTableStmt) {
        for (const void* element : elements_of(node_as<AlterTableStmt>(node)->cmds)) {
            alter.actions.push_back(alteration(*node_as<AlterTableCmd>(element)));
        }
    } else {
        alter.command = "REFRESH MATERIALIZED VIEW";
    }
    return alter;
}

}  // namespace pgveil::parse
