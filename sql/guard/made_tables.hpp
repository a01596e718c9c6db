#pragma once

#include "sql/analysis/analyzer.hpp"
#include "sql/guard/guard.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>

// What the statements of one text make of tables before later ones of it use them.
namespace pgveil::guard {

/// What the policy and the database know, and on top what statements before have changed: CREATE
/// TABLE of a table that the database does not have, ADD and DROP COLUMN. A table that takes
/// columns from elsewhere (LIKE, INHERITS, PARTITION OF, OF) is as the policy lists it, and one
/// that the database has stays as it is there, because IF NOT EXISTS may leave it so.
class MadeTables {
public:
    explicit MadeTables(const analysis::Context& context) : context_(context) {}

    /// `schema` may be empty. nullopt: nothing is known of the name.
    std::optional<Shape> find(const std::string& schema, const std::string& name) const;

    /// A statement that runs before those that are asked about next, as it is sent.
    void note(const parse::Statement& statement);

private:
    std::optional<Shape> stored(const std::string& schema, const std::string& name) const;
    void note(const parse::CreateTable& create);
    void note(const parse::AlterTable& alter);
    bool is_stored(const std::string& schema, const std::string& name) const;
    std::string schema_of(const std::string& schema, const std::string& name) const;

    const analysis::Context& context_;
    std::map<std::pair<std::string, std::string>, Shape> made_;
};

}  // namespace pgveil::guard
