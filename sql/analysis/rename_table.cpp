#include "sql/analysis/definition.hpp"
#include "sql/analysis/written_column.hpp"
#include "sql/types/type.hpp"

#include <algorithm>

namespace pgveil::analysis {

namespace {

using Kind = parse::Rename::Kind;

constexpr std::string_view kCheckPrefix = "pgveil_";

std::string construct_of(const parse::Rename& statement) {
    return statement.kind == Kind::kSchema ? "ALTER TABLE ... SET SCHEMA"
                                           : "ALTER TABLE ... RENAME";
}

}  // namespace

void TableRenaming::run() {
    const parse::TableReference& target = statement_.target;
    const Judgement judgement =
        draft_.text().relations.judge({target.database, target.schema, target.name, target.begin});
    const KnownRelation* const known = judgement.known;
    const bool is_protected = judgement.standing == Standing::kProtected && known != nullptr;
    if (is_protected) {
        draft_.plan().touches_protected = true;
        draft_.qualify(target, *known->relation);
    }
    const std::string schema = known == nullptr ? target.schema : known->relation->schema;
    switch (statement_.kind) {
        case Kind::kColumn:
            if (is_protected) {
                column(*known);
            }
            return;
        case Kind::kConstraint:
            if (is_protected) {
                constraint();
            }
            return;
        case Kind::kTable:
            table(schema, statement_.new_name, is_protected ? known : nullptr);
            return;
        case Kind::kSchema:
            table(statement_.new_name, target.name, is_protected ? known : nullptr);
            return;
    }
}

void TableRenaming::column(const KnownRelation& known) {
    const catalog::Relation& relation = *known.relation;
    const std::size_t index = index_of(relation, statement_.name);
    if (index == known.veils.size()) {
        return;  // the server says so
    }
    for (const ColumnPtr& veil : known.veils) {
        const bool is_key = veil != nullptr && std::ranges::find(veil->bind_to, statement_.name) !=
                                                   veil->bind_to.end();
        if (is_key) {
            draft_.refuse(
                "RENAME of " + statement_.name + ", which the column is bound to",
                "drop the bound column first, or leave the key as it is",
                veil,
                statement_.target.begin
            );
        }
    }
    catalog::Relation after = relation;
    after.columns[index].name = statement_.new_name;
    if (keeps(known.veils[index], after, index) && !draft_.is_refused()) {
        draft_.text().relations.stage_altered(std::move(after));
    }
}

/// Refuses unless the column is under its new name what it was.
bool TableRenaming::keeps(
    const ColumnPtr& veil, const catalog::Relation& after, std::size_t index
) {
    const Claims claims(after, draft_.text().context.policy);
    const std::string& name = after.columns[index].name;
    const std::string subject = after.schema + "." + after.name + "." + name;
    const ColumnPtr renamed = claims.column(name);
    if (veil == nullptr && renamed == nullptr) {
        return true;
    }
    if (veil == nullptr) {
        draft_.refuse(disagreement(
            subject,
            "is protected by the policy (" + claims.pointer_of(name) +
                "), but the column to rename is plain",
            statement_.target.begin
        ));
        return false;
    }
    if (renamed != nullptr && are_alike(*veil, *renamed)) {
        return true;
    }
    draft_.refuse(
        construct_of(statement_) + " to a name that the policy does not know",
        "give " + subject + " an entry with \"context\": \"" + veil->context +
            "\" and the same type, search and group" +
            (renamed == nullptr ? std::string() : " (" + claims.pointer_of(name) + ")") +
            ", then repeat",
        veil,
        statement_.target.begin
    );
    return false;
}

/// What guards encrypted columns keeps its name, or at least its prefix.
void TableRenaming::constraint() {
    const bool was_ours = statement_.name.starts_with(kCheckPrefix);
    if (was_ours != statement_.new_name.starts_with(kCheckPrefix)) {
        draft_.refuse(refusal_of(
            statement_.target.name,
            "RENAME CONSTRAINT " + statement_.name + " TO " + statement_.new_name,
            "names that begin with pgveil_ are those of the constraints that guard encrypted "
            "columns",
            statement_.target.begin
        ));
    }
}

/// `known`: of a protected table.
void TableRenaming::table(
    const std::string& schema, const std::string& name, const KnownRelation* known
) {
    if (known == nullptr) {
        check_plain(schema, name);
        return;
    }
    catalog::Relation after = *known->relation;
    after.schema = schema;
    after.name = name;
    for (std::size_t i = 0; i < known->veils.size(); ++i) {
        if (!keeps(known->veils[i], after, i)) {
            return;
        }
    }
    if (draft_.text().context.policy.find(schema, name) == nullptr) {
        check_plain(schema, name);
    }
    draft_.text().relations.stage_altered(std::move(after));
}

/// A plain table does not become a protected one by its name.
void TableRenaming::check_plain(const std::string& schema, const std::string& name) {
    const config::Policy& policy = draft_.text().context.policy;
    const bool may_be = policy.is_protected_name(name) && !policy.is_listed_plain(schema, name);
    if (may_be || schema == "pgveil") {
        draft_.refuse(refusal_of(
            schema.empty() ? name : schema + "." + name,
            construct_of(statement_),
            may_be ? "the name belongs to a protected table: choose another one, or list this one "
                     "under \"plain\" in the policy"
                   : "nothing in schema pgveil is for clients",
            statement_.target.begin
        ));
    }
}

}  // namespace pgveil::analysis
