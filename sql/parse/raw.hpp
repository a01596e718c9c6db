#pragma once

// Private to sql/parse: the bridge from PostgreSQL's node structs to ast.hpp. Nothing here may call
// into libpg_query: its errors are longjmps, and C++ objects are alive on this stack.

#include "sql/parse/ast.hpp"

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

// postgres.h defines what the other headers need, so it stays first.
// clang-format off
extern "C" {
#include <postgres.h>
#include <nodes/nodes.h>
#include <nodes/parsenodes.h>
#include <nodes/pg_list.h>
#include <nodes/primnodes.h>
}

// clang-format on

namespace pgveil::parse {

/// Reads a node whose tag has been checked.
template <class T>
const T* node_as(const void* node) {
    return static_cast<const T*>(node);
}

inline NodeTag tag_of(const void* node) {
    return node_as<Node>(node)->type;
}

inline std::string text_or_empty(const char* text) {
    return text == nullptr ? std::string() : std::string(text);
}

inline std::uint32_t offset_of(int location) {
    return location < 0 ? kNowhere : static_cast<std::uint32_t>(location);
}

/// The elements of a list of nodes; empty for a null list.
std::vector<const void*> elements_of(const List* list);
/// The texts of a list of String nodes; other nodes (a star) are left out.
Names names_of(const List* list);

/// The names that WITH gives at some place. Looking for one takes the same time however many there
/// are.
class CommonNames {
public:
    void push(std::string name);

    bool contains(const std::string& name) const { return counts_.contains(name); }

    std::size_t size() const { return names_.size(); }

    /// Forgets all but the first `size`.
    void cut(std::size_t size);

private:
    Names names_;
    std::unordered_map<std::string, std::size_t> counts_;
};

/// Converts one statement. Deeper or larger than the limits: exceeded() is set and the result is
/// worthless.
class RawReader {
public:
    explicit RawReader(std::size_t& nodes) : nodes_(nodes) {}

    Statement statement(const void* node);

    bool exceeded() const { return exceeded_; }

private:
    class Level;
    friend class Level;
    class CommonTables;
    friend class CommonTables;

    // raw_expression.cpp
    ExpressionPtr expression(const void* node);
    Expressions expressions(const List* list);
    void read_expression(const void* node, Expression& into);
    bool read_leaf(const void* node, Expression& into);
    bool read_operation(const void* node, Expression& into);
    bool read_construct(const void* node, Expression& into);
    bool read_list_construct(const void* node, Expression& into);
    bool read_single_construct(const void* node, Expression& into);
    void read_indirection(const A_Indirection& raw, Expression& into);
    Expressions subscripts(const List* indirection);
    void read_constant(const A_Const& constant, Expression& into);
    void note_string(const Expression& constant);
    void note_reference(const ColumnReference& reference, std::uint32_t begin);
    void read_call(const FuncCall& raw, Expression& into);
    void read_sub_link(const SubLink& raw, Expression& into);
    void read_case(const CaseExpr& raw, Expression& into);
    Window window(const WindowDef& raw);
    Operation operation(const A_Expr& raw);
    TypeName type_name(const ::TypeName* type);
    void note_names(const void* node);

    // raw_from.cpp
    FromItemPtr from_item(const void* node);
    std::vector<FromItemPtr> from_items(const List* list);
    TableReference table(const RangeVar* range);
    TableReference source(const RangeVar* range);
    TableReference target(const RangeVar* range);
    FromFunction from_function(const RangeFunction& raw);
    Join join(const JoinExpr& raw);
    void read_sample(const RangeTableSample& raw, FromItem& into);

    // raw_query.cpp
    std::unique_ptr<Select> select(const void* node);
    void read_select_clauses(const SelectStmt& raw, Select& into);
    With with(const WithClause* clause);
    std::optional<Traversal> traversal(const CommonTableExpr& raw);
    std::vector<Target> targets(const List* list);

    // raw_change.cpp
    Insert insert(const InsertStmt& raw);
    Update update(const UpdateStmt& raw);
    Delete delete_from(const DeleteStmt& raw);
    OnConflict on_conflict(const OnConflictClause& raw);
    Merge merge(const MergeStmt& raw);
    IndexElement index_element(const IndexElem& raw);

    bool read_query(const void* node, Statement& into);

    // raw_nested.cpp
    std::unique_ptr<Statement> nested(const void* node);
    void read_statement(const void* node, Statement& into);
    bool read_select_into(const void* node, Statement& into);
    bool read_nested(const void* node, Statement& into);
    DeclareCursor declare_cursor(const DeclareCursorStmt& raw);
    Prepare prepare(const PrepareStmt& raw);
    bool read_create_table_as(const void* node, Statement& into);

    // raw_command.cpp
    bool read_command(const void* node, Statement& into);
    CreateTable create_table(const CreateStmt& raw);
    LikeClause like_clause(const TableLikeClause& raw);
    Expressions partition_bounds(const PartitionBoundSpec& raw);
    ColumnDefinition column_definition(const ColumnDef& raw);
    Constraint constraint(const ::Constraint& raw);
    CreateIndex create_index(const IndexStmt& raw);
    Copy copy(const CopyStmt& raw);  // raw_copy.cpp
    VariableSet variable_set(const VariableSetStmt& raw);

    // raw_alter.cpp
    AlterTable alter_table(const AlterTableStmt& raw);
    Alteration alteration(const AlterTableCmd& raw);
    bool read_rename(const RenameStmt& raw, Statement& into);
    bool read_move(const AlterObjectSchemaStmt& raw, Statement& into);

    // raw_view.cpp
    bool read_view(const void* node, Statement& into);
    CreateView create_view(const void* node);
    AlterView alter_view(const void* node);
    bool alters_view(const void* node) const;

    // raw_dependent.cpp
    bool read_dependent(const void* node, Statement& into);
    bool read_statistics(const CreateStatsStmt& raw, Statement& into);

    void note_unknown() { inventory_.has_unknown = true; }

    std::size_t& nodes_;
    std::size_t depth_ = 0;
    bool exceeded_ = false;
    Inventory inventory_;
    CommonNames common_tables_;
};

/// Counts nesting and nodes; false when the node may not be read.
class RawReader::Level {
public:
    explicit Level(RawReader& reader) : reader_(reader) {
        ++reader_.depth_;
        ++reader_.nodes_;
        if (reader_.depth_ > kDepthMax || reader_.nodes_ > kNodesMax) {
            reader_.exceeded_ = true;
        }
    }

    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

    ~Level() { --reader_.depth_; }

    explicit operator bool() const { return !reader_.exceeded_; }

private:
    RawReader& reader_;
};

/// While it lives, the names of a WITH clause that is read mean its tables.
class RawReader::CommonTables {
public:
    explicit CommonTables(RawReader& reader)
        : reader_(reader), outside_(reader.common_tables_.size()) {}

    CommonTables(const CommonTables&) = delete;
    CommonTables& operator=(const CommonTables&) = delete;

    ~CommonTables() { reader_.common_tables_.cut(outside_); }

private:
    RawReader& reader_;
    std::size_t outside_;
};

/// SQL name and class of a command that is not modelled, and the node's kind for unknown nodes.
Other other_command(const void* node);
std::string kind_of(const void* node);

/// True and fills `into` for commands that read and write no value of a named relation.
bool read_harmless(const void* node, Harmless& into);

}  // namespace pgveil::parse
