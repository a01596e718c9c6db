#include "sql/parse/raw.hpp"

#include <memory>
#include <string_view>
#include <utility>

// Commands around a statement: EXPLAIN, DECLARE CURSOR, PREPARE and EXECUTE, CREATE TABLE AS.
namespace pgveil::parse {

namespace {

/// INTO of a SELECT: of a set operation it stands in the first arm.
const IntoClause* into_of(const void* node) {
    while (node != nullptr && tag_of(node) == T_SelectStmt) {
        const auto& select = *node_as<SelectStmt>(node);
        if (select.intoClause != nullptr) {
            return select.intoClause;
        }
        node = select.op == SETOP_NONE ? nullptr : select.larg;
    }
    return nullptr;
}

}  // namespace

std::unique_ptr<Statement> RawReader::nested(const void* node) {
    auto inner = std::make_unique<Statement>();
    const Level level(*this);
    if (level && node != nullptr) {
        read_statement(node, *inner);
    }
    return inner;
}

void RawReader::read_statement(const void* node, Statement& into) {
    if (!read_select_into(node, into) && !read_query(node, into) && !read_nested(node, into) &&
        !read_view(node, into) && !read_dependent(node, into) && !read_command(node, into)) {
        into.node = other_command(node);
        inventory_.calls.clear();  // they point into a tree that is gone
    }
}

bool RawReader::read_select_into(const void* node, Statement& into) {
    const IntoClause* const clause = into_of(node);
    if (clause == nullptr) {
        return false;
    }
    CreateTableAs create;
    create.command = "SELECT INTO";
    create.target = table(clause->rel);
    create.source = std::make_unique<Statement>();
    static_cast<void>(read_query(node, *create.source));
    into.node = std::move(create);
    return true;
}

bool RawReader::read_nested(const void* node, Statement& into) {
    switch (static_cast<int>(tag_of(node))) {
        case T_ExplainStmt: into.node = Explain{nested(node_as<ExplainStmt>(node)->query)}; break;
        case T_DeclareCursorStmt:
            into.node = declare_cursor(*node_as<DeclareCursorStmt>(node));
            break;
        case T_PrepareStmt: into.node = prepare(*node_as<PrepareStmt>(node)); break;
        case T_ExecuteStmt: {
            const auto& raw = *node_as<ExecuteStmt>(node);
            into.node = Execute{text_or_empty(raw.name), expressions(raw.params)};
            break;
        }
        case T_FetchStmt: {
            const auto& raw = *node_as<FetchStmt>(node);
            into.node = Fetch{text_or_empty(raw.portalname), raw.ismove};
            break;
        }
        case T_CreateTableAsStmt: return read_create_table_as(node, into);
        default: return false;
    }
    return true;
}

DeclareCursor RawReader::declare_cursor(const DeclareCursorStmt& raw) {
    DeclareCursor result;
    result.name = text_or_empty(raw.portalname);
    // NOLINTBEGIN(hicpp-signed-bitwise): PostgreSQL's own flags
    result.is_binary = (raw.options & CURSOR_OPT_BINARY) != 0;
    result.is_held = (raw.options & CURSOR_OPT_HOLD) != 0;
    // NOLINTEND(hicpp-signed-bitwise)
    result.query = nested(raw.query);
    return result;
}

Prepare RawReader::prepare(const PrepareStmt& raw) {
    Prepare result;
    result.name = text_or_empty(raw.name);
    for (const void* type : elements_of(raw.argtypes)) {
        result.types.push_back(type_name(node_as<::TypeName>(type)));
    }
    result.statement = nested(raw.query);
    return result;
}

/// Of a table: a materialized view keeps its query.
bool RawReader::read_create_table_as(const void* node, Statement& into) {
    const auto& raw = *node_as<CreateTableAsStmt>(node);
    if (raw.objtype != OBJECT_TABLE || raw.into == nullptr) {
        return false;
    }
    CreateTableAs create;
    create.command = "CREATE TABLE AS";
    create.target = table(raw.into->rel);
    create.source = nested(raw.query);
    into.node = std::move(create);
    return true;
}

}  // namespace pgveil::parse
