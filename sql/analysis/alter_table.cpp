#include "sql/analysis/definition.hpp"
#include "sql/analysis/partition.hpp"
#include "sql/schema/schema.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::analysis {

namespace {

using Kind = parse::Alteration::Kind;

constexpr std::string_view kCheckPrefix = "pgveil_";

}  // namespace

void TableAlteration::run() {
    const parse::TableReference& target = statement_.target;
    const Judgement judgement =
        draft_.text().relations.judge({target.database, target.schema, target.name, target.begin});
    if (judgement.standing == Standing::kProtected && judgement.known != nullptr) {
        protect(*judgement.known);
    }
    for (const parse::Alteration& each : statement_.actions) {
        action(each);
    }
    if (!appended_.empty()) {
        const auto range = draft_.text().tokens.inside(target.begin, end_);
        const std::uint32_t behind = draft_.text().tokens[range.last - 1].end;
        draft_.splice(behind, behind, FixedText{appended_});
    }
    if (judgement.known != nullptr && !draft_.is_refused()) {
        stage(*judgement.known->relation);
    }
}

void TableAlteration::protect(const KnownRelation& known) {
    const catalog::Relation& relation = *known.relation;
    present_ = &known;
    draft_.plan().touches_protected = true;
    draft_.qualify(statement_.target, relation);
    Claims claims(relation, draft_.text().context.policy);
    claims.begin_under(draft_.text().context.next_keys, relation.columns);
    rules_.protect(relation.schema, std::move(claims));
}

void TableAlteration::action(const parse::Alteration& action) {
    switch (action.kind) {
        case Kind::kAddColumn: add_column(action); return;
        case Kind::kAddConstraint: rules_.table_constraint(action.constraint); return;
        case Kind::kDropConstraint: drop_constraint(action); return;
        case Kind::kDefault: set_default(action); return;
        case Kind::kType: change_type(action); return;
        case Kind::kIdentity: add_identity(action); return;
        case Kind::kStorage: set_storage(action); return;
        case Kind::kDropColumn: keep_key(action, "DROP COLUMN"); return;
        case Kind::kAttachPartition:
        case Kind::kDetachPartition:
        case Kind::kInherit:
        case Kind::kNoInherit: relate(action); return;
        case Kind::kNotNull:
        case Kind::kProperty: return;
        case Kind::kOther:
            refuse("this form of ALTER TABLE", "see docs/SQL.md for the forms that are read");
    }
}

void TableAlteration::add_column(const parse::Alteration& action) {
    const ColumnPtr veil = rules_.veil_of(action.name);
    if (veil != nullptr) {
        draft_.plan().needs_ciphertext_type = true;
        rules_.translate_type(action.column, veil, {});
        if (present_->relation->column(action.name) == nullptr || drops(action.name)) {
            // NOT VALID: the rows that are there hold NULL, nobody needs to wait for a look at
            // them.
            appended_ += ", ADD " + checks_of(*veil, " NOT VALID, ADD ") + " NOT VALID";
        }
    }
    for (const parse::Constraint& constraint : action.column.constraints) {
        rules_.column_constraint(constraint, action.name, veil);
    }
}

/// PostgreSQL drops columns before it adds others, and the CHECK goes with its column.
bool TableAlteration::drops(const std::string& column) const {
    return std::any_of(
        statement_.actions.begin(),
        statement_.actions.end(),
        [&column](const parse::Alteration& action) {
            return action.kind == Kind::kDropColumn && action.name == column;
        }
    );
}

void TableAlteration::change_type(const parse::Alteration& action) {
    if (const ColumnPtr veil = rules_.veil_of(action.name)) {
        change_length(action, veil);
        return;
    }
    keep_key(action, "ALTER COLUMN TYPE");
    rules_.forbid(action.expression, Use::kConstruct);
}

/// The stored values of text and varchar stay what they are under another length. The database does
/// not know the old one, the policy holds the new one.
void TableAlteration::change_length(const parse::Alteration& action, const ColumnPtr& veil) {
    const bool has_length_only =
        veil->type.kind == types::Kind::kVarchar || veil->type.kind == types::Kind::kText;
    if (!has_length_only || action.expression != nullptr) {
        draft_.refuse(
            "ALTER COLUMN TYPE",
            "values of another type are other values: add a column of the new type and copy",
            veil,
            statement_.target.begin
        );
        return;
    }
    rules_.translate_type(action.column, veil, {});
}

/// Values that are bound to the column (bind_to) open with it as it is only.
void TableAlteration::keep_key(const parse::Alteration& action, std::string_view construct) {
    const ColumnPtr bound = rules_.bound_to(action.name);
    if (bound != nullptr) {
        draft_.refuse(
            std::string(construct) + " of " + action.name + ", which the column is bound to",
            "drop the bound column first, or leave the key as it is",
            bound,
            statement_.target.begin
        );
    }
}

void TableAlteration::set_default(const parse::Alteration& action) {
    if (action.expression != nullptr) {
        rules_.default_value(
            action.expression, rules_.veil_of(action.name), action.expression->begin
        );
    }
}

void TableAlteration::add_identity(const parse::Alteration& action) {
    if (const ColumnPtr veil = rules_.veil_of(action.name)) {
        draft_.refuse(Use::kGenerated, veil, statement_.target.begin);
    }
    keep_key(action, "IDENTITY");
}

void TableAlteration::set_storage(const parse::Alteration& action) {
    if (const ColumnPtr veil = rules_.veil_of(action.name)) {
        draft_.refuse(Use::kCollate, veil, statement_.target.begin);
    }
}

/// The CHECK is what keeps plaintext out when somebody writes around the proxy.
void TableAlteration::drop_constraint(const parse::Alteration& action) {
    if (rules_.is_protected() && action.name.rfind(kCheckPrefix, 0) == 0) {
        refuse(
            "DROP CONSTRAINT " + action.name,
            "constraints named pgveil_... guard encrypted columns and stay as long as these"
        );
    }
}

/// Rows of the one table become, or were, rows of the other.
void TableAlteration::relate(const parse::Alteration& action) {
    const parse::TableReference& table = action.related;
    const Judgement judgement = draft_.text().relations.judge(parse::Inventory::Table{
        table.database, table.schema, table.name, table.begin});
    const KnownRelation* const other =
        judgement.standing == Standing::kProtected ? judgement.known : nullptr;
    if (present_ == nullptr && other == nullptr) {
        return;
    }
    if (present_ == nullptr || other == nullptr) {
        draft_.refuse(refusal_of(
            table.name,
            "ATTACH PARTITION or INHERIT of an unprotected and a protected table",
            "give both an entry in the policy with the same columns and \"context\", and make both "
            "through pgveil",
            table.begin
        ));
        return;
    }
    draft_.qualify(table, *other->relation);
    if (action.kind == Kind::kAttachPartition) {
        check_alike(draft_, *present_, *other, table.begin);
        bound_partition(draft_, action.bounds, *present_, table.begin);
    } else if (action.kind == Kind::kInherit) {
        check_alike(draft_, *other, *present_, table.begin);
    }
}

void TableAlteration::refuse(std::string_view construct, std::string_view hint) {
    if (rules_.is_protected()) {
        draft_.refuse(refusal_of(rules_.table_name(), construct, hint, statement_.target.begin));
    }
}

/// Later statements of the same text see the table as it will be.
void TableAlteration::stage(const catalog::Relation& before) {
    catalog::Relation after = before;
    auto& columns = after.columns;
    const auto position = [&columns](const std::string& name) {
        return std::find_if(columns.begin(), columns.end(), [&name](const catalog::Column& column) {
            return column.name == name;
        });
    };
    for (const parse::Alteration& each : statement_.actions) {
        const auto found = position(each.name);
        if (each.kind == Kind::kDropColumn && found != columns.end()) {
            columns.erase(found);
        } else if (each.kind == Kind::kIdentity && found != columns.end()) {
            found->generated_or_identity = true;
        } else if (each.kind == Kind::kAddColumn && found == columns.end()) {
            catalog::Column column;
            column.name = each.name;
            const ColumnPtr veil = rules_.veil_of(each.name);
            column.is_ciphertext = veil != nullptr;
            column.data_key = veil == nullptr ? 0 : veil->data_key;
            columns.push_back(std::move(column));
        }
    }
    draft_.text().relations.stage_altered(std::move(after));
}

}  // namespace pgveil::analysis
