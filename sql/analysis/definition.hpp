#pragma once

#include "sql/analysis/draft.hpp"

#include <map>
#include <string>

// The rules for CREATE TABLE and CREATE INDEX.
namespace pgveil::analysis {

/// Translates one CREATE TABLE by the policy. Tables that the policy does not name pass, unless
/// they inherit from or refer to protected columns.
class TableDefinition {
public:
    TableDefinition(Draft& draft, const parse::CreateTable& statement)
        : draft_(draft), statement_(statement) {}

    void run();

private:
    bool find_policy();
    void check_shape();
    void check_relatives();
    void column(const parse::ColumnDefinition& definition);
    void protect(const parse::ColumnDefinition& definition, const ColumnPtr& veil);
    void column_constraint(
        const parse::Constraint& constraint,
        const parse::ColumnDefinition& definition,
        const ColumnPtr& veil
    );
    void table_constraint(const parse::Constraint& constraint);
    void keys(const parse::Constraint& constraint, Use use);
    void foreign_key(const parse::Constraint& constraint, const parse::Names& columns);
    void foreign_key_column(
        const parse::Constraint& constraint,
        const ColumnPtr& veil,
        const std::string* referenced_name,
        const KnownRelation* referenced
    );
    void forbid(const parse::Constraint& constraint, Use use);
    ColumnPtr veil_of(const std::string& name) const;
    void stage();
    void check_keys();
    static std::uint32_t key_type_of(const parse::ColumnDefinition& definition);

    Draft& draft_;
    const parse::CreateTable& statement_;
    std::string schema_;
    const config::TablePolicy* policy_ = nullptr;
    std::map<std::string, ColumnPtr> veils_;
};

/// CREATE INDEX on a protected table.
void define_index(Draft& draft, const parse::CreateIndex& statement);

}  // namespace pgveil::analysis
