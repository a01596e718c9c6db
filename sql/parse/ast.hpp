#pragma once

#include "sql/parse/query.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

// Statements of our own syntax tree. See expression.hpp for what holds for all of it.
namespace pgveil::parse {

/// A column or table constraint. `expression`: CHECK, DEFAULT, GENERATED, WHERE of EXCLUDE.
struct Constraint {
    enum class Kind {
        kNull,
        kNotNull,
        kDefault,
        kIdentity,
        kGenerated,
        kCheck,
        kPrimaryKey,
        kUnique,
        kForeignKey,
        kExclude,
        kAttribute,  // DEFERRABLE and kin
        kOther,      // what is new
    };
    Kind kind = Kind::kOther;
    ExpressionPtr expression;
    Names keys;  // columns of a table constraint; the referencing ones of a foreign key
    std::vector<IndexElement> excluded;
    Names included;
    TableReference referenced;
    Names referenced_columns;
    std::uint32_t begin = kNowhere;
};

struct ColumnDefinition {
    std::string name;
    TypeName type;
    bool has_collation = false;
    bool has_storage = false;  // STORAGE or COMPRESSION
    std::vector<Constraint> constraints;
    std::uint32_t begin = kNowhere;
};

/// LIKE in a table definition, with what INCLUDING says of two things.
struct LikeClause {
    TableReference table;
    bool has_defaults = false;
    bool has_constraints = false;
};

struct CreateTable {
    TableReference target;
    bool is_temporary = false;
    bool is_foreign = false;
    std::vector<ColumnDefinition> columns;
    std::vector<Constraint> constraints;
    std::vector<LikeClause> likes;
    std::vector<TableReference> parents;  // INHERITS, PARTITION OF
    bool is_partition = false;
    bool is_of_type = false;
    std::string partition_strategy;  // "hash", "list", "range"; empty: not partitioned
    Expressions partition_keys;
    bool has_partition_options = false;  // COLLATE or an operator class
    Expressions partition_bounds;        // FOR VALUES: of a range first FROM, then TO
};

struct CreateIndex {
    TableReference target;
    std::string method;
    bool unique = false;
    std::vector<IndexElement> elements;
    Names included;
    ExpressionPtr predicate;
};

/// One action of ALTER TABLE.
struct Alteration {
    enum class Kind {
        kAddColumn,
        kDropColumn,
        kAddConstraint,
        kDropConstraint,
        kNotNull,  // SET and DROP
        kDefault,  // SET, and DROP without an expression
        kType,
        kIdentity,  // ADD GENERATED ... AS IDENTITY
        kStorage,   // STORAGE and COMPRESSION
        kProperty,  // of the table or of how a column is kept: owner, triggers, statistics, ...
        kAttachPartition,
        kDetachPartition,
        kInherit,
        kNoInherit,
        kOther,
    };
    Kind kind = Kind::kOther;
    std::string name;          // column or constraint
    ColumnDefinition column;   // kAddColumn, kType
    Constraint constraint;     // kAddConstraint
    ExpressionPtr expression;  // kDefault; USING of kType
    TableReference related;    // the partition or parent
    Expressions bounds;        // kAttachPartition: FOR VALUES
};

/// ALTER TABLE of a table, RENAME and SET SCHEMA not among it.
struct AlterTable {
    TableReference target;
    std::vector<Alteration> actions;
    bool if_exists = false;
};

/// ALTER TABLE ... RENAME or SET SCHEMA.
struct Rename {
    enum class Kind { kTable, kColumn, kConstraint, kSchema };
    Kind kind = Kind::kTable;
    TableReference target;
    std::string name;  // of the column or constraint
    std::string new_name;
    bool if_exists = false;
};

struct Truncate {
    std::vector<TableReference> targets;
};

/// COPY of a table (`target`) or of a query.
struct Copy {
    struct Option {
        enum class Form { kNone, kText, kColumns, kAllColumns, kOther };
        std::string name;
        Form form = Form::kNone;
        std::string text;  // numbers and booleans, too
        Names columns;
    };

    TableReference target;
    Names columns;
    std::unique_ptr<Statement> query;  // null: a table
    bool is_from = false;
    bool is_at_server = false;  // a file or program there
    std::vector<Option> options;
    ExpressionPtr where;
};

/// SET, SET LOCAL, RESET.
struct VariableSet {
    enum class Kind { kValue, kDefault, kCurrent, kMulti, kReset, kResetAll };
    Kind kind = Kind::kValue;
    std::string name;
    Expressions values;
};

struct VariableShow {
    std::string name;
};

struct Transaction {
    enum class Kind {
        kBegin,
        kCommit,
        kRollback,
        kSavepoint,
        kRelease,
        kRollbackTo,
        kPrepare,
        kCommitPrepared,
        kRollbackPrepared,
    };
    Kind kind = Kind::kBegin;
};

/// A command that reads and writes no value of a named relation: GRANT, COMMENT, LOCK, DROP, ...
struct Harmless {
    enum class Kind {
        kDiscardAll,
        kDiscardOther,
        kDeallocate,
        kCloseCursor,
        kDrop,
        kObjectCommand,    // names objects only: GRANT, COMMENT, LOCK, VACUUM, ...
        kNamelessCommand,  // names no relation: NOTIFY, CHECKPOINT, SET CONSTRAINTS, ...
    };
    Kind kind = Kind::kNamelessCommand;
    std::string name;  // prepared statement or portal
};

/// EXPLAIN of a statement.
struct Explain {
    std::unique_ptr<Statement> statement;
};

struct DeclareCursor {
    std::string name;
    bool is_binary = false;
    bool is_held = false;
    std::unique_ptr<Statement> query;
};

/// SQL PREPARE.
struct Prepare {
    std::string name;
    std::vector<TypeName> types;
    std::unique_ptr<Statement> statement;
};

/// EXECUTE of a prepared statement.
struct Execute {
    std::string name;
    Expressions arguments;
};

/// FETCH and MOVE.
struct Fetch {
    std::string name;
    bool is_move = false;
};

/// CREATE TABLE AS and SELECT INTO.
struct CreateTableAs {
    std::string command;
    TableReference target;
    std::unique_ptr<Statement> source;
};

/// CREATE VIEW and CREATE MATERIALIZED VIEW. The target stands in no inventory.
struct CreateView {
    std::string command;
    TableReference target;
    std::unique_ptr<Statement> source;
};

/// ALTER of a view or materialized view, and REFRESH.
struct AlterView {
    enum class Kind { kRename, kSchema, kActions };
    std::string command;
    Kind kind = Kind::kActions;
    TableReference target;
    std::string new_name;             // kRename: of the view; kSchema: the schema
    std::vector<Alteration> actions;  // kActions
};

/// CREATE and ALTER SEQUENCE with OWNED BY a column; the owner stands in no inventory.
struct OwnedSequence {
    std::string command;
    TableReference owner;  // begin: of the word OWNED
    std::string column;
};

/// CREATE STATISTICS of one table.
struct CreateStatistics {
    TableReference target;
    std::vector<IndexElement> elements;
};

/// Any other command, with its SQL name: "ALTER TABLE". Judged by its tokens.
struct Other {
    enum class Kind { kDdl, kCode, kPlain };
    std::string command;
    Kind kind = Kind::kPlain;
};

/// What occurs anywhere inside a statement that is not Other.
struct Inventory {
    struct Table {
        std::string database;
        std::string schema;
        std::string name;
        std::uint32_t begin = kNowhere;
        /// Stands in FROM or USING, where a sub-select could stand as well.
        bool is_source = false;
        bool has_alias = false;
        /// Means a table of a WITH around it.
        bool is_common = false;
        /// Stands where the statement can do with a view what it says.
        bool is_target = false;
    };

    /// A column reference with a schema: `schema.table.column` or `schema.table.*`.
    struct Reference {
        Names relation;  // the parts that name the relation
        std::uint32_t begin = kNowhere;
    };

    /// A string constant of at least kStringMin characters, by its hash.
    struct String {
        std::uint32_t begin = kNowhere;
        std::size_t hash = 0;
    };

    static constexpr std::size_t kStringMin = 4;

    std::vector<Table> tables;
    std::vector<String> strings;
    std::vector<const Expression*> calls;  // each a Call
    std::map<Names, std::uint32_t> types;  // other than pg_catalog.x, and where each first stands
    std::vector<std::uint32_t> parameters;
    std::vector<Reference> references;
    Names system_columns;      // ctid, tableoid, xmin, ... as far as referred to, each once
    bool has_star = false;     // `*`, `t.*` or NATURAL: all columns of something
    bool has_unknown = false;  // then names may be missing here: ask the tokens
};

struct Statement {
    // Both 0 for a statement inside another; its inventory is part of the outer one's.
    std::uint32_t begin = 0;  // as the parser splits the text: leading blanks and comments included
    std::uint32_t end = 0;    // without the semicolon
    std::variant<
        Other,
        std::unique_ptr<Select>,
        Insert,
        Update,
        Delete,
        Merge,
        CreateTable,
        CreateIndex,
        AlterTable,
        Rename,
        Truncate,
        Copy,
        VariableSet,
        VariableShow,
        Transaction,
        Harmless,
        Explain,
        DeclareCursor,
        Prepare,
        Execute,
        Fetch,
        CreateTableAs,
        CreateView,
        AlterView,
        OwnedSequence,
        CreateStatistics>
        node;
    Inventory inventory;
};

}  // namespace pgveil::parse
