#include "sql/guard/made_tables.hpp"

#include "sql/analysis/claims.hpp"

#include <algorithm>
#include <variant>

namespace pgveil::guard {

namespace {

/// Columns as the database lists them; what the policy or the database calls protected, is.
Shape shape_of(const catalog::Relation& relation, const config::TablePolicy* policy) {
    Shape shape{relation.schema + "." + relation.name, {}};
    for (const catalog::Column& column : relation.columns) {
        const bool is_named = policy != nullptr && policy->column(column.name) != nullptr;
        shape.columns.push_back({column.name, is_named || column.is_ciphertext});
    }
    return shape;
}

/// Nothing but the policy is known of it.
Shape shape_of(const config::TablePolicy& policy, const std::string& schema) {
    Shape shape{schema + "." + policy.name, {}};
    for (const config::ColumnPolicy& column : policy.columns) {
        shape.columns.push_back({column.name, true});
    }
    return shape;
}

const catalog::Entry* entry_of(
    const analysis::Context& context, const std::string& schema, const std::string& name
) {
    const catalog::Entry* const entry = context.catalog.find({schema, name});
    return entry != nullptr ? entry
                            : context.catalog.find({std::string(), name});  // qualified by us
}

bool lists_all_columns(const parse::CreateTable& create) {
    return create.likes.empty() && create.parents.empty() && !create.is_of_type;
}

}  // namespace

std::string MadeTables::schema_of(const std::string& schema, const std::string& name) const {
    const catalog::Entry* const entry = entry_of(context_, schema, name);
    return schema.empty() && entry != nullptr ? entry->creation_schema : schema;
}

bool MadeTables::is_stored(const std::string& schema, const std::string& name) const {
    const catalog::Entry* const entry = entry_of(context_, schema, name);
    return entry != nullptr && entry->relation &&
           (schema.empty() || entry->relation->schema == schema);
}

std::optional<Shape> MadeTables::stored(const std::string& schema, const std::string& name) const {
    if (is_stored(schema, name)) {
        const catalog::Relation& relation = *entry_of(context_, schema, name)->relation;
        return shape_of(relation, analysis::entry_of(relation, context_.policy));
    }
    const std::string made_in = schema_of(schema, name);
    const auto* const policy = context_.policy.find(made_in, name);
    return policy == nullptr ? std::nullopt : std::optional<Shape>(shape_of(*policy, made_in));
}

std::optional<Shape> MadeTables::find(const std::string& schema, const std::string& name) const {
    const auto made = made_.find({schema_of(schema, name), name});
    return made != made_.end() ? made->second : stored(schema, name);
}

void MadeTables::note(const parse::Statement& statement) {
    if (const auto* const create = std::get_if<parse::CreateTable>(&statement.node)) {
        note(*create);
    } else if (const auto* const alter = std::get_if<parse::AlterTable>(&statement.node)) {
        note(*alter);
    }
}

void MadeTables::note(const parse::CreateTable& create) {
    const parse::TableReference& target = create.target;
    const std::string schema = schema_of(target.schema, target.name);
    const auto* const policy = context_.policy.find(schema, target.name);
    if (policy == nullptr || !lists_all_columns(create) || is_stored(target.schema, target.name)) {
        return;
    }
    Shape shape{schema + "." + target.name, {}};
    for (const parse::ColumnDefinition& column : create.columns) {
        shape.columns.push_back({column.name, policy->column(column.name) != nullptr});
    }
    made_.insert_or_assign({schema, target.name}, std::move(shape));
}

void MadeTables::note(const parse::AlterTable& alter) {
    const parse::TableReference& target = alter.target;
    auto shape = find(target.schema, target.name);
    const std::string schema = schema_of(target.schema, target.name);
    const auto* const policy = context_.policy.find(schema, target.name);
    if (!shape || policy == nullptr) {
        return;
    }
    for (const parse::Alteration& action : alter.actions) {
        const bool adds = action.kind == parse::Alteration::Kind::kAddColumn;
        const std::string& name = adds ? action.column.name : action.name;
        const auto is_it = [&name](const Shape::Column& column) {
            return column.name == name;
        };
        const bool is_there = std::any_of(shape->columns.begin(), shape->columns.end(), is_it);
        if (adds && !is_there) {
            shape->columns.push_back({name, policy->column(name) != nullptr});
        } else if (action.kind == parse::Alteration::Kind::kDropColumn) {
            std::erase_if(shape->columns, is_it);
        }
    }
    made_.insert_or_assign({schema, target.name}, std::move(*shape));
}

}  // namespace pgveil::guard
