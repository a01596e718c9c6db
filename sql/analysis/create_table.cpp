#include "sql/analysis/definition.hpp"
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
    check_relatives();
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
    if (!has_protected_name) {
        return true;
    }
    const bool is_temporary = statement_.is_temporary || target.schema == "pg_temp";
    if (is_temporary || !target.database.empty()) {
        draft_.refuse(refusal_of(
            target.name,
            is_temporary ? "CREATE TEMPORARY TABLE" : "a name with a database in front",
            "the name belongs to a protected table: choose another one",
            target.begin
        ));
        return false;
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
    if (policy == nullptr && !context.policy.is_listed_plain(*schema, target.name)) {
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
        rules_.protect(*schema, *policy);
    }
    return true;
}

void TableDefinition::check_shape() {
    const std::string subject = rules_.table_name();
    const auto refuse = [&](const char* construct) {
        draft_.refuse(refusal_of(
            subject,
            construct,
            "write CREATE TABLE with all columns spelled out",
            statement_.target.begin
        ));
    };
    if (!statement_.likes.empty()) {
        refuse("CREATE TABLE (LIKE ...)");
    }
    if (!statement_.parents.empty() || statement_.is_partition) {
        refuse("INHERITS or PARTITION OF");
    }
    if (statement_.is_of_type) {
        refuse("CREATE TABLE OF type");
    }
    for (const auto& key : statement_.partition_keys) {
        rules_.forbid(key, Use::kPartitionKey);
    }
}

/// A plain table may not be made from a protected one.
void TableDefinition::check_relatives() {
    for (const auto* relatives : {&statement_.likes, &statement_.parents}) {
        for (const parse::TableReference& table : *relatives) {
            const Judgement judgement = draft_.text().relations.judge(
                {table.database, table.schema, table.name, table.begin}
            );
            if (judgement.standing == Standing::kProtected) {
                draft_.refuse(refusal_of(
                    table.name,
                    "LIKE, INHERITS or PARTITION OF a protected table",
                    "write CREATE TABLE with all columns spelled out",
                    table.begin
                ));
            }
        }
    }
}

void TableDefinition::column(const parse::ColumnDefinition& definition) {
    const ColumnPtr veil = rules_.veil_of(definition.name);
    if (veil != nullptr) {
        rules_.translate_type(
            definition, veil, schema::check_constraint(definition.name, veil->scheme)
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
        catalog::Column column;
        column.name = definition.name;
        column.attnum = static_cast<std::int16_t>(relation.columns.size() + 1);
        column.is_ciphertext = rules_.veil_of(definition.name) != nullptr;
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
    draft_.text().relations.stage(std::move(relation));
}

}  // namespace pgveil::analysis
