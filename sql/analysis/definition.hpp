#pragma once

#include "sql/analysis/draft.hpp"
#include "sql/analysis/relatives.hpp"
#include "sql/analysis/table_rules.hpp"

// CREATE TABLE, ALTER TABLE and CREATE INDEX.
namespace pgveil::analysis {

/// Translates one CREATE TABLE by the policy. Tables that the policy does not name pass, unless
/// they inherit from or refer to protected columns.
class TableDefinition {
public:
    TableDefinition(Draft& draft, const parse::CreateTable& statement)
        : draft_(draft),
          statement_(statement),
          rules_(draft, statement.target),
          relatives_(draft, statement) {}

    void run();

private:
    bool is_temporary() const;
    bool find_policy();
    bool find_temporary_policy();
    void protect(std::string schema, Claims claims);
    void check_shape();
    void column(const parse::ColumnDefinition& definition);
    void stage();
    void check_keys();
    static std::uint32_t key_type_of(const parse::ColumnDefinition& definition);

    Draft& draft_;
    const parse::CreateTable& statement_;
    TableRules rules_;
    Relatives relatives_;
};

/// Translates one ALTER TABLE: columns that the policy protects are added as CREATE TABLE makes
/// them, but their CHECK without a scan of the rows that are there (all NULL in it).
class TableAlteration {
public:
    /// `end`: of the statement in the text.
    TableAlteration(Draft& draft, const parse::AlterTable& statement, std::uint32_t end)
        : draft_(draft), statement_(statement), end_(end), rules_(draft, statement.target) {}

    void run();

private:
    void protect(const KnownRelation& known);
    void action(const parse::Alteration& action);
    void add_column(const parse::Alteration& action);
    bool drops(const std::string& column) const;
    void change_type(const parse::Alteration& action);
    void change_length(const parse::Alteration& action, const ColumnPtr& veil);
    void keep_key(const parse::Alteration& action, std::string_view construct);
    void set_default(const parse::Alteration& action);
    void add_identity(const parse::Alteration& action);
    void set_storage(const parse::Alteration& action);
    void drop_constraint(const parse::Alteration& action);
    void relate(const parse::Alteration& action);
    void refuse(std::string_view construct, std::string_view hint);
    void stage(const catalog::Relation& before);

    Draft& draft_;
    const parse::AlterTable& statement_;
    std::uint32_t end_;
    TableRules rules_;
    /// A protected table as it is; null for other tables.
    const KnownRelation* present_ = nullptr;
    /// Further actions, written behind the statement's own.
    std::string appended_;
};

/// ALTER TABLE ... RENAME and SET SCHEMA: a value opens under the context it was sealed with, so
/// the policy must know the new name, with the present context.
class TableRenaming {
public:
    TableRenaming(Draft& draft, const parse::Rename& statement)
        : draft_(draft), statement_(statement) {}

    void run();

private:
    void column(const KnownRelation& known);
    void constraint();
    void table(const std::string& schema, const std::string& name, const KnownRelation* known);
    bool keeps(const ColumnPtr& veil, const catalog::Relation& after, std::size_t index);
    void check_plain(const std::string& schema, const std::string& name);

    Draft& draft_;
    const parse::Rename& statement_;
};

/// CREATE INDEX on a protected table.
void define_index(Draft& draft, const parse::CreateIndex& statement);

}  // namespace pgveil::analysis
