#include "sql/analysis/constants.hpp"
#include "sql/analysis/definition.hpp"
#include "sql/analysis/mentions.hpp"
#include "sql/analysis/type_names.hpp"
#include "sql/schema/schema.hpp"

#include <algorithm>

namespace pgveil::analysis {

void TableDefinition::run() {
    if (!find_policy()) {
        return;
    }
    if (policy_ != nullptr) {
        check_shape();
    }
    check_relatives();
    for (const parse::ColumnDefinition& definition : statement_.columns) {
        column(definition);
    }
    for (const parse::Constraint& constraint : statement_.constraints) {
        table_constraint(constraint);
    }
    if (policy_ != nullptr && !draft_.is_refused()) {
        stage();
        check_keys();
    }
}

/// bind_to: the table as it will be must have its keys.
void TableDefinition::check_keys() {
    const parse::TableReference& target = statement_.target;
    const Judgement judgement =
        draft_.text().relations.judge(catalog::RelationName{schema_, target.name}, target.begin);
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
    schema_ = *schema;
    policy_ = context.policy.find(schema_, target.name);
    if (policy_ == nullptr && !context.policy.is_listed_plain(schema_, target.name)) {
        draft_.refuse(refusal_of(
            schema_ + "." + target.name,
            "CREATE TABLE",
            "the policy protects a table of this name in another schema: add this one to the "
            "policy, or list it "
            "under \"plain\"",
            target.begin
        ));
        return false;
    }
    if (policy_ != nullptr) {
        draft_.plan().touches_protected = true;
        draft_.plan().needs_ciphertext_type = true;
        catalog::Relation relation;
        relation.schema = schema_;
        relation.name = target.name;
        draft_.qualify(target, relation);
        for (const config::ColumnPolicy& entry : policy_->columns) {
            veils_.emplace(entry.name, field::protected_column(schema_, target.name, entry));
        }
    }
    return true;
}

void TableDefinition::check_shape() {
    const std::string subject = schema_ + "." + statement_.target.name;
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
        for (const auto& [name, veil] : veils_) {
            if (may_mention(*key, [&name = name](const std::string& used) {
                    return used == name;
                })) {
                draft_.refuse(Use::kPartitionKey, veil, key->begin);
            }
        }
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

ColumnPtr TableDefinition::veil_of(const std::string& name) const {
    const auto found = veils_.find(name);
    return found == veils_.end() ? nullptr : found->second;
}

void TableDefinition::column(const parse::ColumnDefinition& definition) {
    const ColumnPtr veil = veil_of(definition.name);
    if (veil != nullptr) {
        protect(definition, veil);
    }
    for (const parse::Constraint& constraint : definition.constraints) {
        column_constraint(constraint, definition, veil);
    }
}

void TableDefinition::protect(const parse::ColumnDefinition& definition, const ColumnPtr& veil) {
    const auto type = type_of(definition.type);
    if (!type || *type != veil->type) {
        draft_.refuse(disagreement(
            veil->qualified_name(),
            "is " + display(definition.type) + " here, but " + types::name_of(veil->type) +
                " in the policy (" + policy_->column(definition.name)->pointer + ")",
            definition.type.begin == parse::kNowhere ? definition.begin : definition.type.begin
        ));
        return;
    }
    if (definition.has_collation || definition.has_storage) {
        draft_.refuse(Use::kCollate, veil, definition.begin);
        return;
    }
    const auto end = parse::type_name_end(draft_.text().tokens, definition.type.begin);
    if (!end) {
        draft_.refuse(
            "this way of writing a type",
            "write " + types::sql_name_of(veil->type),
            veil,
            definition.begin
        );
        return;
    }
    draft_.splice(
        definition.type.begin,
        *end,
        FixedText{
            std::string(schema::kCiphertextType) + " " +
            schema::check_constraint(definition.name, veil->scheme)}
    );
}

void TableDefinition::forbid(const parse::Constraint& constraint, Use use) {
    if (constraint.expression == nullptr) {
        return;
    }
    for (const auto& [name, veil] : veils_) {
        if (may_mention(*constraint.expression, [&name = name](const std::string& used) {
                return used == name;
            })) {
            draft_.refuse(use, veil, constraint.begin);
        }
    }
}

void TableDefinition::column_constraint(
    const parse::Constraint& constraint,
    const parse::ColumnDefinition& definition,
    const ColumnPtr& veil
) {
    using Kind = parse::Constraint::Kind;
    switch (constraint.kind) {
        case Kind::kNull:
        case Kind::kNotNull:
        case Kind::kAttribute: return;
        case Kind::kDefault:
            if (veil != nullptr &&
                (constraint.expression == nullptr || !is_null_constant(*constraint.expression) ||
                 std::holds_alternative<parse::Cast>(constraint.expression->node))) {
                draft_.refuse(Use::kDefault, veil, constraint.begin);
            }
            return;
        case Kind::kIdentity:
        case Kind::kGenerated:
            if (veil != nullptr) {
                draft_.refuse(Use::kGenerated, veil, constraint.begin);
            }
            forbid(constraint, Use::kGenerated);
            return;
        case Kind::kCheck: forbid(constraint, Use::kCheck); return;
        case Kind::kPrimaryKey:
        case Kind::kUnique: draft_.require(Use::kKey, veil, constraint.begin); return;
        case Kind::kForeignKey: foreign_key(constraint, {definition.name}); return;
        case Kind::kOther:
            if (veil != nullptr) {
                draft_.refuse("this constraint", "leave it out", veil, constraint.begin);
            }
            return;
    }
}

void TableDefinition::table_constraint(const parse::Constraint& constraint) {
    using Kind = parse::Constraint::Kind;
    switch (constraint.kind) {
        case Kind::kPrimaryKey:
        case Kind::kUnique: keys(constraint, Use::kKey); return;
        case Kind::kForeignKey: foreign_key(constraint, constraint.keys); return;
        case Kind::kCheck: forbid(constraint, Use::kCheck); return;
        case Kind::kOther:
            if (policy_ != nullptr) {
                draft_.refuse(refusal_of(
                    schema_ + "." + statement_.target.name,
                    "EXCLUDE",
                    "leave the constraint out",
                    constraint.begin
                ));
            }
            return;
        case Kind::kNull:
        case Kind::kNotNull:
        case Kind::kDefault:
        case Kind::kIdentity:
        case Kind::kGenerated:
        case Kind::kAttribute: return;
    }
}

void TableDefinition::keys(const parse::Constraint& constraint, Use use) {
    for (const std::string& name : constraint.keys) {
        draft_.require(use, veil_of(name), constraint.begin);
    }
    for (const std::string& name : constraint.included) {
        draft_.require(Use::kIndex, veil_of(name), constraint.begin);
    }
}

void TableDefinition::foreign_key(
    const parse::Constraint& constraint, const parse::Names& columns
) {
    const parse::TableReference& table = constraint.referenced;
    // A table may refer to itself; then the columns are the ones being defined.
    const bool is_self =
        table.name == statement_.target.name && (table.schema.empty() || table.schema == schema_ ||
                                                 table.schema == statement_.target.schema);
    KnownRelation self;
    catalog::Relation self_relation;
    const KnownRelation* referenced = nullptr;
    if (is_self) {
        for (const auto& [name, veil] : veils_) {
            catalog::Column column;
            column.name = name;
            self_relation.columns.push_back(column);
            self.veils.push_back(veil);
        }
        self.relation = &self_relation;
        self_relation.schema = schema_;
        self_relation.name = statement_.target.name;
        referenced = policy_ == nullptr ? nullptr : &self;
    } else {
        const Judgement judgement =
            draft_.text().relations.judge({table.database, table.schema, table.name, table.begin});
        referenced = judgement.standing == Standing::kProtected ? judgement.known : nullptr;
    }
    if (referenced != nullptr) {
        draft_.qualify(table, *referenced->relation);
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const bool is_named = i < constraint.referenced_columns.size();
        foreign_key_column(
            constraint,
            veil_of(columns[i]),
            is_named ? &constraint.referenced_columns[i] : nullptr,
            referenced
        );
    }
}

void TableDefinition::foreign_key_column(
    const parse::Constraint& constraint,
    const ColumnPtr& veil,
    const std::string* referenced_name,
    const KnownRelation* referenced
) {
    draft_.require(Use::kForeignKey, veil, constraint.begin);
    bool is_match = veil == nullptr;
    for (std::size_t i = 0; referenced != nullptr && i < referenced->veils.size(); ++i) {
        const ColumnPtr& other = referenced->veils[i];
        const bool is_the_one =
            referenced_name == nullptr || referenced->relation->columns[i].name == *referenced_name;
        if (veil != nullptr) {
            is_match = is_match ||
                       (is_the_one && other != nullptr && field::shares_context(*veil, *other));
        } else if (referenced_name != nullptr && is_the_one && other != nullptr) {
            draft_.refuse(Use::kForeignKey, other, constraint.begin);
        }
    }
    if (!is_match) {
        draft_.refuse(Use::kForeignKey, veil, constraint.begin);
    }
}

/// Later statements of the same text see the table as it will be.
void TableDefinition::stage() {
    catalog::Relation relation;
    relation.schema = schema_;
    relation.name = statement_.target.name;
    for (const parse::ColumnDefinition& definition : statement_.columns) {
        catalog::Column column;
        column.name = definition.name;
        column.attnum = static_cast<std::int16_t>(relation.columns.size() + 1);
        column.is_ciphertext = veil_of(definition.name) != nullptr;
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
