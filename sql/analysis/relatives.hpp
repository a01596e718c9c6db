#pragma once

#include "sql/analysis/draft.hpp"
#include "sql/analysis/table_rules.hpp"

#include <string>
#include <vector>

// The tables that a table takes its columns from.
namespace pgveil::analysis {

/// What CREATE TABLE names with INHERITS, PARTITION OF and LIKE. Borrows both arguments.
class Relatives {
public:
    /// Judges the parents.
    Relatives(Draft& draft, const parse::CreateTable& statement);

    /// What protected parents say of the columns.
    const Claims& claims() const { return claims_; }

    /// A column comes with a parent, and its CHECK, too.
    bool has_inherited(const std::string& column) const;

    /// LIKE and the parents of a table with these rules, and the bounds of a partition.
    void check(const TableRules& rules);

    /// Gives the table as it will be what it has from others.
    void complete(catalog::Relation& table) const;

private:
    void check_parents(const TableRules& rules);
    void check_like(const parse::LikeClause& like, const TableRules& rules);
    bool takes(
        const parse::LikeClause& like,
        const catalog::Column& column,
        const ColumnPtr& from,
        const TableRules& rules
    );
    void add_checks(const parse::LikeClause& like, std::string checks);

    Draft& draft_;
    const parse::CreateTable& statement_;
    Claims claims_;
    bool has_plain_parent_ = false;
    std::vector<const KnownRelation*> parents_;  // protected ones
    std::vector<catalog::Column> inherited_;
    std::vector<catalog::Column> copied_;
    std::vector<catalog::QualifiedName> ancestors_;
};

/// Whether rows of `child` may become rows of `parent` (ATTACH PARTITION, INHERIT): the policy says
/// the same of the columns of both. Refuses otherwise.
void check_alike(
    Draft& draft, const KnownRelation& parent, const KnownRelation& child, std::uint32_t begin
);

}  // namespace pgveil::analysis
