#include "sql/analysis/definition.hpp"
#include "sql/analysis/partition.hpp"
#include "sql/analysis/type_names.hpp"
#include "sql/schema/schema.hpp"

#include <algorithm>

namespace pgveil::analysis {

void TableDefinition::run() {
    if (!find_policy()) {
        return;
    }
    if (rules_.is_protected()) {
        check_shape();
    }
    relatives_.check(rules_);
    for (const parse::ColumnDefinition& definition : statement_.columns) {
        column(definition);
    }
    for (const parse::Constraint& constraint : statement_.constraints) {
        rules_.table_constraint(constraint);
    }
    if (rules_.is_protected() && !draft_.is_refused()) {
        stage();
        check_keys();
    }
}

/// bind_to: the table as it will be must have its keys.
void TableDefinition::check_keys() {
    const parse::TableReference& target = statement_.target;
    const Judgement judgement = draft_.text().relations.judge(
        catalog::RelationName{rules_.schema(), target.name}, target.begin
    );
    if (judgement.rejection) {
        draft_.refuse(*judgement.rejection);
    }
}

/// The type that the column will have, as far as it matters to bind_to; 0: another.
std::uint32_t TableDefinition::key_type_of(const parse::ColumnDefinition& definition) {
    const auto type = type_of(definition.type);
    if (type) {
        return types::oid_of(type->kind);
    }
    const std::string name =
        definition.type.names.empty() ? std::string() : definition.type.names.back();
    const bool is_small = name == "smallserial" || name == "serial2";
    if (name == "serial" || name == "serial4" || is_small) {
        return types::oid_of(is_small ? types::Kind::kInt2 : types::Kind::kInt4);
    }
    return name == "bigserial" || name == "serial8" ? types::oid_of(types::Kind::kInt8) : 0;
}

/// False if nothing more can be said: the schema is not known yet, or the name is refused.
bool TableDefinition::find_policy() {
    const parse::TableReference& target = statement_.target;
    const Context& context = draft_.text().context;
    const bool has_protected_name = context.policy.is_protected_name(target.name);
    if (!has_protected_name && relatives_.claims().empty()) {
        return true;
    }
    if (!target.database.empty()) {
        draft_.refuse(refusal_of(
            target.name,
            "a name with a database in front",
            "the name belongs to a protected table: choose another one",
            target.begin
        ));
        return false;
    }
    if (is_temporary()) {
        return find_temporary_policy();
    }
    const auto schema = draft_.text().relations.creation_schema({target.schema, target.name});
    if (!schema) {
        return false;
    }
    if (schema->empty()) {
        draft_.refuse(
            postgres_error("3F000", "no schema has been selected to create in", target.begin)
        );
        return false;
    }
    const config::TablePolicy* const policy = context.policy.find(*schema, target.name);
    const bool is_other =
        has_protected_name && !context.policy.is_listed_plain(*schema, target.name);
    if (policy == nullptr && is_other) {
        draft_.refuse(refusal_of(
            *schema + "." + target.name,
            "CREATE TABLE",
            "the policy protects a table of this name in another schema: add this one to the "
            "policy, or list it "
            "under \"plain\"",
            target.begin
        ));
        return false;
    }
    if (policy != nullptr) {
        draft_.plan().touches_protected = true;
        draft_.plan().needs_ciphertext_type = true;
        catalog::Relation relation;
        relation.schema = *schema;
        relation.name = target.name;
        draft_.qualify(target, relation);
    }
    protect(*schema, policy == nullptr ? Claims() : Claims(*schema, target.name, *policy));
    return true;
}

bool TableDefinition::is_temporary() const {
    return statement_.is_temporary || statement_.target.schema == "pg_temp";
}

/// The schema of temporary tables has another name in every session: values must not depend on it.
bool TableDefinition::find_temporary_policy() {
    const parse::TableReference& target = statement_.target;
    const config::Policy& policies = draft_.text().context.policy;
    const config::TablePolicy* const policy = policies.find("pg_temp", target.name);
    const bool has_contexts =
        policy != nullptr && std::ranges::all_of(policy->columns, [](const auto& column) {
            return !column.context.empty();
        });
    if (policies.is_protected_name(target.name) && !has_contexts) {
        draft_.refuse(refusal_of(
            target.name,
            "CREATE TEMPORARY TABLE",
            "choose another name, or give the policy an entry \"*." + target.name +
                "\" whose columns all have a \"context\"",
            target.begin
        ));
        return false;
    }
    draft_.plan().touches_protected = true;
    draft_.plan().needs_ciphertext_type = true;
    protect("pg_temp", policy == nullptr ? Claims() : Claims("pg_temp", target.name, *policy));
    return true;
}

/// A partition or child stands under its parents' keys, a temporary table dies before any key.
void TableDefinition::protect(std::string schema, Claims claims) {
    if (relatives_.claims().empty() && !is_temporary()) {
        claims.begin_under(draft_.text().context.next_keys, {});
    }
    claims.add(relatives_.claims());
    if (auto conflict = claims.conflict(statement_.target.begin)) {
        draft_.refuse(std::move(*conflict));
    }
    rules_.protect(std::move(schema), std::move(claims));
}

void TableDefinition::check_shape() {
    if (statement_.is_of_type) {
        draft_.refuse(refusal_of(
            rules_.table_name(),
            "CREATE TABLE OF type",
            "write CREATE TABLE with all columns spelled out",
            statement_.target.begin
        ));
    }
    partition_by(draft_, statement_, rules_);
}

void TableDefinition::column(const parse::ColumnDefinition& definition) {
    const ColumnPtr veil = rules_.veil_of(definition.name);
    const bool has_type = !definition.type.names.empty();  // else it is a partition's
    if (veil != nullptr && has_type) {
        const bool is_inherited = relatives_.has_inherited(definition.name);
        rules_.translate_type(
            definition, veil, is_inherited ? std::string() : checks_of(*veil, " ")
        );
    }
    for (const parse::Constraint& constraint : definition.constraints) {
        rules_.column_constraint(constraint, definition.name, veil);
    }
}

/// Later statements of the same text see the table as it will be.
void TableDefinition::stage() {
    catalog::Relation relation;
    relation.schema = rules_.schema();
    relation.name = statement_.target.name;
    for (const parse::ColumnDefinition& definition : statement_.columns) {
        const ColumnPtr veil = rules_.veil_of(definition.name);
        catalog::Column column;
        column.name = definition.name;
        column.attnum = static_cast<std::int16_t>(relation.columns.size() + 1);
        column.is_ciphertext = veil != nullptr;
        column.data_key = veil == nullptr ? 0 : veil->data_key;
        column.type_oid = column.is_ciphertext ? 0 : key_type_of(definition);
        column.generated_or_identity = std::any_of(
            definition.constraints.begin(),
            definition.constraints.end(),
            [](const parse::Constraint& constraint) {
                return constraint.kind == parse::Constraint::Kind::kIdentity ||
                       constraint.kind == parse::Constraint::Kind::kGenerated;
            }
        );
        relation.columns.push_back(std::move(column));
    }
    relation.relkind = statement_.partition_strategy.empty() ? 'r' : 'p';
    relation.partition_key = partition_key_of(statement_);
    relatives_.complete(relation);
    draft_.text().relations.stage(std::move(relation));
}

}  // namespace pgveil::analysis
