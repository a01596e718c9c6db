#pragma once

#include "sql/analysis/draft.hpp"

#include <map>
#include <string>
#include <string_view>

namespace pgveil::analysis {

/// The rules for the columns and constraints that CREATE TABLE and ALTER TABLE give one table. Of a
/// table without protect() only references to protected tables are judged. Borrows both arguments.
class TableRules {
public:
    TableRules(Draft& draft, const parse::TableReference& table) : draft_(draft), table_(table) {}

    /// The table is `schema.<its name>` and protected like this.
    void protect(std::string schema, Claims claims);

    bool is_protected() const { return !claims_.empty(); }

    const std::string& schema() const { return schema_; }

    std::string table_name() const { return schema_ + "." + table_.name; }

    /// The policy's column of that name; null where plain.
    ColumnPtr veil_of(const std::string& name) const;

    /// A column whose values are bound (bind_to) to that column; null if there is none.
    ColumnPtr bound_to(const std::string& name) const;

    /// Refuses a definition that contradicts the policy, and clauses a stored value cannot have.
    bool agrees(const parse::ColumnDefinition& definition, const ColumnPtr& veil);
    /// Writes the stored type, and `constraint` if there is one, in place of the definition's type.
    void translate_type(
        const parse::ColumnDefinition& definition,
        const ColumnPtr& veil,
        std::string_view constraint
    );

    void column_constraint(
        const parse::Constraint& constraint, const std::string& column, const ColumnPtr& veil
    );
    void table_constraint(const parse::Constraint& constraint);
    /// DEFAULT: a protected column may have a constant, which every row shares as it is stored.
    void default_value(
        const parse::ExpressionPtr& expression, const ColumnPtr& veil, std::uint32_t begin
    );
    /// Refuses an expression that may mention a protected column.
    void forbid(const parse::ExpressionPtr& expression, Use use);

private:
    void keys(const parse::Constraint& constraint, Use use);
    void exclusion(const parse::Constraint& constraint);
    void foreign_key(const parse::Constraint& constraint, const parse::Names& columns);
    void foreign_key_column(
        const parse::Constraint& constraint,
        const ColumnPtr& veil,
        const std::string* referenced_name,
        const KnownRelation* referenced
    );

    Draft& draft_;
    const parse::TableReference& table_;
    std::string schema_;
    Claims claims_;
    std::map<std::string, ColumnPtr> veils_;
};

/// The CHECKs of a column that is being made, with `between` between them: of its envelope, and of
/// its data key where that is not the live one.
std::string checks_of(const field::ProtectedColumn& column, std::string_view between);

}  // namespace pgveil::analysis
