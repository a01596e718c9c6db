#include "sql/parse/raw.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace pgveil::parse {

namespace {

struct CommandName {
    NodeTag tag;
    std::string_view name;
    Other::Kind kind;
};

using enum Other::Kind;

constexpr std::array kCommands = {
    CommandName{T_CallStmt, "CALL", kCode},
    CommandName{T_DoStmt, "DO", kCode},
    CommandName{T_CreateFunctionStmt, "CREATE FUNCTION", kCode},
    CommandName{T_AlterTableStmt, "ALTER TABLE", kDdl},
    CommandName{T_RenameStmt, "ALTER ... RENAME", kDdl},
    CommandName{T_AlterObjectSchemaStmt, "ALTER ... SET SCHEMA", kDdl},
    CommandName{T_ViewStmt, "CREATE VIEW", kDdl},
    CommandName{T_CreateTableAsStmt, "CREATE MATERIALIZED VIEW", kDdl},
    CommandName{T_RefreshMatViewStmt, "REFRESH MATERIALIZED VIEW", kDdl},
    CommandName{T_RuleStmt, "CREATE RULE", kDdl},
    CommandName{T_CreateTrigStmt, "CREATE TRIGGER", kDdl},
    CommandName{T_CreatePolicyStmt, "CREATE POLICY", kDdl},
    CommandName{T_AlterPolicyStmt, "ALTER POLICY", kDdl},
    CommandName{T_CreateForeignTableStmt, "CREATE FOREIGN TABLE", kDdl},
    CommandName{T_ImportForeignSchemaStmt, "IMPORT FOREIGN SCHEMA", kDdl},
    CommandName{T_CreateStatsStmt, "CREATE STATISTICS", kDdl},
    CommandName{T_CreateSchemaStmt, "CREATE SCHEMA", kDdl},
    CommandName{T_CreatePublicationStmt, "CREATE PUBLICATION", kDdl},
    CommandName{T_AlterPublicationStmt, "ALTER PUBLICATION", kDdl},
    CommandName{T_CreateSeqStmt, "CREATE SEQUENCE", kDdl},
    CommandName{T_AlterSeqStmt, "ALTER SEQUENCE", kDdl},
    CommandName{T_AlterOwnerStmt, "ALTER ... OWNER", kDdl},
    CommandName{T_AlterRoleSetStmt, "ALTER ROLE SET", kPlain},
    CommandName{T_AlterDatabaseSetStmt, "ALTER DATABASE SET", kPlain},
    CommandName{T_AlterSystemStmt, "ALTER SYSTEM", kPlain},
    CommandName{T_CreateRoleStmt, "CREATE ROLE", kPlain},
    CommandName{T_AlterRoleStmt, "ALTER ROLE", kPlain},
    CommandName{T_DropRoleStmt, "DROP ROLE", kPlain},
    CommandName{T_CreatedbStmt, "CREATE DATABASE", kPlain},
    CommandName{T_DropdbStmt, "DROP DATABASE", kPlain},
    CommandName{T_CreateExtensionStmt, "CREATE EXTENSION", kDdl},
};

struct NodeName {
    NodeTag tag;
    std::string_view name;
};

constexpr std::array kNodes = {
    NodeName{T_XmlExpr, "XML expression"},
    NodeName{T_XmlSerialize, "XMLSERIALIZE"},
    NodeName{T_RangeTableSample, "TABLESAMPLE"},
    NodeName{T_RangeTableFunc, "XMLTABLE"},
};

}  // namespace

Other other_command(const void* node) {
    const NodeTag tag = tag_of(node);
    const auto* const known = std::find_if(
        kCommands.begin(), kCommands.end(), [tag](const auto& entry) { return entry.tag == tag; }
    );
    if (known != kCommands.end()) {
        return Other{std::string(known->name), known->kind};
    }
    // Whatever else there is (CREATE TYPE, ALTER DOMAIN, ...) may change what names mean.
    return Other{"this command", kDdl};
}

std::string kind_of(const void* node) {
    const NodeTag tag = tag_of(node);
    const auto* const known = std::find_if(kNodes.begin(), kNodes.end(), [tag](const auto& entry) {
        return entry.tag == tag;
    });
    if (known != kNodes.end()) {
        return std::string(known->name);
    }
    return "syntax node " + std::to_string(static_cast<int>(tag));
}

bool read_harmless(const void* node, Harmless& into) {
    using Kind = Harmless::Kind;
    const auto named = [&into](Kind kind, const char* name) {
        into = Harmless{kind, text_or_empty(name)};
        return true;
    };
    switch (static_cast<int>(tag_of(node))) {
        case T_DeallocateStmt: return named(Kind::kDeallocate, node_as<DeallocateStmt>(node)->name);
        case T_ClosePortalStmt:
            return named(Kind::kCloseCursor, node_as<ClosePortalStmt>(node)->portalname);
        case T_DiscardStmt:
            return named(
                node_as<DiscardStmt>(node)->target == DISCARD_ALL ? Kind::kDiscardAll
                                                                  : Kind::kDiscardOther,
                nullptr
            );
        case T_DropStmt: return named(Kind::kDrop, nullptr);
        case T_GrantStmt:
        case T_GrantRoleStmt:
        case T_AlterDefaultPrivilegesStmt:
        case T_CommentStmt:
        case T_LockStmt:
        case T_VacuumStmt:
        case T_ClusterStmt:
        case T_ReindexStmt: return named(Kind::kObjectCommand, nullptr);
        case T_NotifyStmt:
        case T_ListenStmt:
        case T_UnlistenStmt:
        case T_CheckPointStmt:
        case T_ConstraintsSetStmt: return named(Kind::kNamelessCommand, nullptr);
        default: return false;
    }
}

}  // namespace pgveil::parse
