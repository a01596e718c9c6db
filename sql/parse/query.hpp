#pragma once

#include "sql/parse/expression.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// Queries and statements that change rows. See expression.hpp for what holds for all of the tree.
namespace pgveil::parse {

struct Alias {
    std::string name;  // empty: none
    Names columns;
};

/// A relation named in a statement.
struct TableReference {
    std::string database;  // empty: none
    std::string schema;    // empty: unqualified
    std::string name;
    Alias alias;
    std::uint32_t begin = kNowhere;
};

struct FromItem;
using FromItemPtr = std::unique_ptr<FromItem>;

struct FromSubquery {
    std::unique_ptr<Select> query;
    Alias alias;
    bool lateral = false;
};

struct FromFunction {
    Expressions calls;
    Alias alias;
    bool has_column_definitions = false;
    Names column_definitions;
    bool with_ordinality = false;
};

struct Join {
    enum class Kind { kInner, kLeft, kRight, kFull };
    Kind kind = Kind::kInner;
    bool natural = false;
    Names using_columns;
    std::string using_alias;  // USING (...) AS alias: of the merged columns
    FromItemPtr left;
    FromItemPtr right;
    ExpressionPtr condition;
    Alias alias;
};

struct FromItem {
    std::uint32_t begin = kNowhere;
    /// TABLESAMPLE of a table: its arguments and REPEATABLE.
    bool is_sampled = false;
    Expressions sample;
    std::variant<Unknown, TableReference, FromSubquery, FromFunction, Join> node;
};

/// An item of a select list or RETURNING, a column of INSERT, or an assignment of SET.
struct Target {
    std::string name;  // alias or column; empty: none
    bool has_indirection = false;
    Expressions subscripts;  // `column[...]`, of what is assigned to
    ExpressionPtr value;     // null for a column of INSERT
    std::uint32_t begin = kNowhere;
};

/// SEARCH and CYCLE of a table of WITH RECURSIVE.
struct Traversal {
    Names compared;      // BY of SEARCH, and the columns of CYCLE
    Names added;         // what the clauses add to the table's columns, in this order
    Expressions values;  // TO and DEFAULT of CYCLE
};

struct CommonTable {
    std::string name;
    Names columns;
    std::unique_ptr<Statement> query;
    std::optional<Traversal> traversal;
};

struct With {
    bool recursive = false;
    std::vector<CommonTable> tables;
};

struct Select {
    enum class SetOperation { kNone, kUnion, kIntersect, kExcept };
    With with;
    SetOperation operation = SetOperation::kNone;
    bool operation_all = false;
    std::unique_ptr<Select> left;  // of the set operation
    std::unique_ptr<Select> right;
    std::vector<Expressions> values;  // VALUES lists
    bool distinct = false;
    Expressions distinct_on;
    std::vector<Target> targets;
    bool has_into = false;
    std::vector<FromItemPtr> from;
    ExpressionPtr where;
    Expressions group_by;
    ExpressionPtr having;
    std::vector<Window> windows;
    Expressions order_by;
    Expressions limits;      // LIMIT and OFFSET
    bool has_locks = false;  // FOR UPDATE and kin
    std::uint32_t begin = kNowhere;
};

/// A key of CREATE INDEX or ON CONFLICT.
struct IndexElement {
    std::string column;  // empty: an expression
    ExpressionPtr expression;
    bool has_collation = false;
    Names operator_class;  // empty: none

    bool is_decorated() const { return has_collation || !operator_class.empty(); }
};

struct OnConflict {
    bool updates = false;                // DO UPDATE, not DO NOTHING
    std::vector<IndexElement> elements;  // none: ON CONSTRAINT, or no target at all
    ExpressionPtr index_condition;
    std::vector<Target> assignments;
    ExpressionPtr where;
};

struct Insert {
    With with;
    TableReference target;
    std::vector<Target> columns;
    std::unique_ptr<Select> source;  // null: DEFAULT VALUES
    std::optional<OnConflict> on_conflict;
    std::vector<Target> returning;
};

struct Update {
    With with;
    TableReference target;
    std::vector<Target> assignments;
    std::vector<FromItemPtr> from;
    ExpressionPtr where;
    std::vector<Target> returning;
};

struct Delete {
    With with;
    TableReference target;
    std::vector<FromItemPtr> from;
    ExpressionPtr where;
    std::vector<Target> returning;
};

struct Merge {
    struct Action {
        enum class Kind { kUpdate, kInsert, kDelete, kNothing };
        Kind kind = Kind::kNothing;
        bool is_matched = false;
        ExpressionPtr condition;
        std::vector<Target> targets;  // of SET; the columns of INSERT
        Expressions values;           // of INSERT; none: DEFAULT VALUES
    };

    With with;
    TableReference target;
    FromItemPtr source;
    ExpressionPtr condition;
    std::vector<Action> actions;
};

}  // namespace pgveil::parse
