#include "sql/analysis/table_rules.hpp"

#include "sql/analysis/constants.hpp"
#include "sql/analysis/mentions.hpp"
#include "sql/analysis/type_names.hpp"
#include "sql/schema/schema.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::analysis {

void TableRules::protect(std::string schema, Claims claims) {
    schema_ = std::move(schema);
    claims_ = std::move(claims);
    for (const ColumnPtr& column : claims_.columns()) {
        const ColumnPtr known = draft_.enums().known(column);
        veils_.emplace(column->name, known == nullptr ? column : known);
    }
}

ColumnPtr TableRules::veil_of(const std::string& name) const {
    const auto found = veils_.find(name);
    return found == veils_.end() ? nullptr : found->second;
}

ColumnPtr TableRules::bound_to(const std::string& name) const {
    for (const auto& [column, veil] : veils_) {
        const auto& keys = veil->bind_to;
        if (std::find(keys.begin(), keys.end(), name) != keys.end()) {
            return veil;
        }
    }
    return nullptr;
}

bool TableRules::agrees(const parse::ColumnDefinition& definition, const ColumnPtr& veil) {
    const auto type = type_of(definition.type, draft_.enums());
    if (!type && types::is_enum(veil->type.kind) && types::oid_of(veil->type.kind) == 0) {
        draft_.refuse(postgres_error(
            "42704",
            "type \"" + display(definition.type) + "\" does not exist",
            definition.type.begin
        ));
        return false;
    }
    if (!type || *type != veil->type) {
        draft_.refuse(disagreement(
            veil->qualified_name(),
            "is " + display(definition.type) + " here, but " + types::name_of(veil->type) +
                " in the policy (" + claims_.pointer_of(veil->name) + ")",
            definition.type.begin == parse::kNowhere ? definition.begin : definition.type.begin
        ));
        return false;
    }
    if (definition.has_collation || definition.has_storage) {
        draft_.refuse(Use::kCollate, veil, definition.begin);
        return false;
    }
    return true;
}

void TableRules::translate_type(
    const parse::ColumnDefinition& definition, const ColumnPtr& veil, std::string_view constraint
) {
    if (!agrees(definition, veil)) {
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
    std::string text(schema::kCiphertextType);
    if (!constraint.empty()) {
        text += " ";
        text += constraint;
    }
    draft_.splice(definition.type.begin, *end, FixedText{std::move(text)});
}

void TableRules::forbid(const parse::ExpressionPtr& expression, Use use) {
    if (expression == nullptr) {
        return;
    }
    for (const auto& [name, veil] : veils_) {
        if (may_mention(*expression, SoughtColumn{table_.name, name})) {
            draft_.refuse(use, veil, expression->begin);
        }
    }
}

void TableRules::default_value(
    const parse::ExpressionPtr& expression, const ColumnPtr& veil, std::uint32_t begin
) {
    if (veil == nullptr) {
        return;
    }
    const auto bare = expression == nullptr ? std::nullopt : bare_constant(*expression);
    if (!bare || bare->constant == nullptr) {
        draft_.refuse(Use::kDefault, veil, begin);
    } else if (veil->is_bound() && !is_null_constant(*expression)) {
        draft_.refuse(
            "DEFAULT of a column with bind_to",
            "let the application send the value: it is sealed for its row",
            veil,
            begin
        );
    } else {
        draft_.seal(Adaptable{expression.get()}, veil, ParameterUse::kAssigned);
    }
}

void TableRules::column_constraint(
    const parse::Constraint& constraint, const std::string& column, const ColumnPtr& veil
) {
    using Kind = parse::Constraint::Kind;
    switch (constraint.kind) {
        case Kind::kNull:
        case Kind::kNotNull:
        case Kind::kAttribute: return;
        case Kind::kDefault: default_value(constraint.expression, veil, constraint.begin); return;
        case Kind::kIdentity:
        case Kind::kGenerated:
            if (veil != nullptr) {
                draft_.refuse(Use::kGenerated, veil, constraint.begin);
            }
            forbid(constraint.expression, Use::kGenerated);
            return;
        case Kind::kCheck: forbid(constraint.expression, Use::kCheck); return;
        case Kind::kPrimaryKey:
        case Kind::kUnique: draft_.require(Use::kKey, veil, constraint.begin); return;
        case Kind::kForeignKey: foreign_key(constraint, {column}); return;
        case Kind::kExclude:
        case Kind::kOther:
            if (veil != nullptr) {
                draft_.refuse("this constraint", "leave it out", veil, constraint.begin);
            }
            return;
    }
}

void TableRules::table_constraint(const parse::Constraint& constraint) {
    using Kind = parse::Constraint::Kind;
    switch (constraint.kind) {
        case Kind::kPrimaryKey:
        case Kind::kUnique: keys(constraint, Use::kKey); return;
        case Kind::kForeignKey: foreign_key(constraint, constraint.keys); return;
        case Kind::kCheck: forbid(constraint.expression, Use::kCheck); return;
        case Kind::kExclude: exclusion(constraint); return;
        case Kind::kOther:
            if (is_protected()) {
                draft_.refuse(
                    refusal_of(table_name(), "this constraint", "leave it out", constraint.begin)
                );
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

void TableRules::keys(const parse::Constraint& constraint, Use use) {
    for (const std::string& name : constraint.keys) {
        draft_.require(use, veil_of(name), constraint.begin);
    }
    for (const std::string& name : constraint.included) {
        draft_.require(Use::kIndex, veil_of(name), constraint.begin);
    }
}

/// EXCLUDE compares by any operator, which would look at what is stored.
void TableRules::exclusion(const parse::Constraint& constraint) {
    for (const auto& [name, veil] : veils_) {
        const SoughtColumn sought{table_.name, name};
        const bool is_included =
            std::ranges::find(constraint.included, name) != constraint.included.end();
        const bool is_compared = std::ranges::any_of(constraint.excluded, [&](const auto& element) {
            return may_mention(element, sought);
        });
        const bool is_tested =
            constraint.expression != nullptr && may_mention(*constraint.expression, sought);
        if (is_included || is_compared || is_tested) {
            draft_.refuse(
                "EXCLUDE",
                "leave the column out of the constraint, or write UNIQUE, which takes columns with "
                "\"search\": \"equality\"",
                veil,
                constraint.begin
            );
        }
    }
}

void TableRules::foreign_key(const parse::Constraint& constraint, const parse::Names& columns) {
    const parse::TableReference& table = constraint.referenced;
    // A table may refer to itself; then the columns are the ones being defined.
    const bool is_self =
        table.name == table_.name &&
        (table.schema.empty() || table.schema == schema_ || table.schema == table_.schema);
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
        self_relation.name = table_.name;
        referenced = is_protected() ? &self : nullptr;
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

void TableRules::foreign_key_column(
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

std::string checks_of(const field::ProtectedColumn& column, std::string_view between) {
    std::string checks = schema::check_constraint(column.name, column.scheme);
    if (column.data_key != 0) {
        checks.append(between).append(schema::data_key_constraint(column.name, column.data_key));
    }
    return checks;
}

}  // namespace pgveil::analysis
