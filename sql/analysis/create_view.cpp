#include "sql/analysis/create_view.hpp"

#include "sql/analysis/written_column.hpp"

#include <variant>

namespace pgveil::analysis {

namespace {

/// A view may not take the name of a protected table, nor stand in schema pgveil.
void check_name(
    Draft& draft,
    const std::string& schema,
    const std::string& name,
    std::string_view command,
    std::uint32_t begin
) {
    const config::Policy& policy = draft.text().context.policy;
    const bool is_protected =
        policy.is_protected_name(name) && !policy.is_listed_plain(schema, name);
    if (is_protected || (schema == "pgveil" && !policy.is_empty())) {
        draft.refuse(refusal_of(
            name,
            command,
            is_protected
                ? "the name belongs to a protected table: choose another one, or list this "
                  "one under \"plain\" in the policy"
                : "nothing in schema pgveil is for clients",
            begin
        ));
    }
}

/// Its constants would be sealed once, under the key of now, for everybody who reads the view.
void refuse_constants(Draft& draft, const parse::CreateView& create) {
    const auto refuse = [&](const ColumnPtr& column) {
        draft.refuse(
            create.command + " with a constant for it",
            "leave the condition out of the view, and write it in the statements that read it",
            column,
            create.target.begin
        );
    };
    for (const Splice& splice : draft.plan().splices) {
        if (const auto* const sealed = std::get_if<SealedLiteral>(&splice.replacement)) {
            refuse(sealed->column);
        }
    }
    for (const ParameterPlan& parameter : draft.plan().parameters) {
        if (parameter.column != nullptr) {
            refuse(parameter.column);
        }
    }
}

void check_results(Draft& draft, const parse::CreateView& create) {
    for (const ResultColumn& result : draft.plan().results) {
        if (result.column == nullptr) {
            continue;
        }
        if (result.column->is_bound()) {
            draft.refuse(
                create.command + " with its values",
                "leave the column out: its bind_to makes it open beside the key of its row only",
                result.column,
                create.target.begin
            );
        }
        if (!result.others.empty()) {
            draft.refuse(
                create.command + " with values of " + result.others.front()->qualified_name() +
                    " in the same column",
                "give both columns the same \"context\" in the policy, or make two columns of them",
                result.column,
                create.target.begin
            );
        }
        if (result.is_bytea || result.shown_type) {
            draft.refuse(
                create.command + " with a cast, NULLIF, or CASE or COALESCE with NULL",
                "let the view show the column as it is (CASE with ELSE, all arms columns)",
                result.column,
                create.target.begin
            );
        }
    }
}

void check_default(
    Draft& draft,
    const parse::TableReference& target,
    const KnownRelation& view,
    const parse::Alteration& action
) {
    const std::size_t index = index_of(*view.relation, action.name);
    const bool is_veiled = index < view.veils.size() && view.veils[index] != nullptr;
    if (is_veiled && action.expression != nullptr) {
        draft.refuse(
            "a DEFAULT of a view's column",
            "set the default of the table's column",
            view.veils[index],
            target.begin
        );
    }
}

void change_properties(
    Draft& draft,
    const parse::TableReference& target,
    const KnownRelation& view,
    const std::vector<parse::Alteration>& actions,
    std::string_view command
) {
    draft.plan().touches_protected = true;
    draft.qualify(target, *view.relation);
    for (const parse::Alteration& action : actions) {
        if (action.kind == parse::Alteration::Kind::kDefault) {
            check_default(draft, target, view, action);
        } else if (action.kind != parse::Alteration::Kind::kProperty) {
            draft.refuse(
                refusal_of(target.name, command, "drop the view and create it anew", target.begin)
            );
        }
    }
    draft.text().relations.unsettle(target.name);
}

}  // namespace

void define_view(Draft& draft, const parse::CreateView& create) {
    const parse::TableReference& target = create.target;
    StatementPlan& plan = draft.plan();
    check_name(draft, target.schema, target.name, create.command, target.begin);
    refuse_constants(draft, create);
    check_results(draft, create);
    plan.kind = StatementKind::kOtherDdl;
    plan.changes_catalog = true;
    plan.results.clear();
    plan.hidden_results = 0;
    Relations& relations = draft.text().relations;
    const bool replaces =
        relations.judge({target.schema, target.name}, target.begin).standing != Standing::kPlain;
    if (plan.touches_protected || replaces) {
        relations.unsettle(target.name);
    }
}

void alter_view(Draft& draft, const parse::AlterView& alter) {
    using Kind = parse::AlterView::Kind;
    const parse::TableReference& target = alter.target;
    StatementPlan& plan = draft.plan();
    plan.kind = StatementKind::kOtherDdl;
    plan.changes_catalog = true;
    if (alter.kind != Kind::kActions) {
        const bool is_move = alter.kind == Kind::kSchema;
        check_name(
            draft,
            is_move ? alter.new_name : target.schema,
            is_move ? target.name : alter.new_name,
            alter.command,
            target.begin
        );
    }
    Relations& relations = draft.text().relations;
    const Judgement judgement = relations.judge(written_relation(target));
    if (judgement.standing != Standing::kProtected || judgement.known == nullptr) {
        return;
    }
    change_properties(draft, target, *judgement.known, alter.actions, alter.command);
    if (alter.kind == Kind::kRename) {
        relations.unsettle(alter.new_name);
    }
}

bool alter_as_view(Draft& draft, const parse::AlterTable& alter) {
    const Judgement judgement = draft.text().relations.judge(written_relation(alter.target));
    if (judgement.standing != Standing::kProtected || judgement.known == nullptr ||
        judgement.known->relation->view_text.empty()) {
        return false;
    }
    change_properties(draft, alter.target, *judgement.known, alter.actions, "ALTER TABLE");
    return true;
}

}  // namespace pgveil::analysis
