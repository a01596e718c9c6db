#include "sql/analysis/session.hpp"

#include "sql/analysis/constants.hpp"
#include "sql/analysis/share_literals.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace pgveil::analysis {

bool is_verified_name(std::string_view name) {
    return is_veil_parameter_name(name) && name.size() > 6 && name[6] == '_';
}

std::optional<SessionParameter> veil_parameter(Draft& draft, const std::string& name) {
    if (!is_veil_parameter_name(name)) {
        return std::nullopt;
    }
    if (is_verified_name(name)) {
        draft.refuse(postgres_error(
            "42501", "permission denied to set parameter \"" + name + "\"", parse::kNowhere
        ));
        return std::nullopt;
    }
    const auto parameter = session_parameter_of(name);
    if (!parameter) {
        draft.refuse(postgres_error(
            "42704", "unrecognized configuration parameter \"" + name + "\"", parse::kNowhere
        ));
    }
    return parameter;
}

bool changes_search_path(const std::string& name) {
    constexpr std::array<std::string_view, 3> kNames = {
        "search_path", "role", "session_authorization"};
    std::string folded = name;
    std::transform(folded.begin(), folded.end(), folded.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    return std::find(kNames.begin(), kNames.end(), folded) != kNames.end();
}

namespace {

/// What SET takes from a constant; nullopt for what it does not take.
std::optional<core::SecretBytes> value_of(const Text& text, const parse::Expression& node) {
    const auto* const constant = std::get_if<parse::Constant>(&node.node);
    if (constant == nullptr || constant->kind == parse::Constant::Kind::kNull) {
        return std::nullopt;
    }
    return core::SecretBytes::copy_of(core::as_bytes(share_of(text.tokens, node, *constant)));
}

}  // namespace

void hide_value(Draft& draft, const parse::Expression& node, SessionParameter which) {
    auto value = value_of(draft.text(), node);
    const auto end = parse::constant_end(draft.text().tokens, node.begin);
    if (!value || !end) {
        draft.refuse(refusal_of(
            std::string(name_of(which)),
            "this form of value",
            "write it as a string literal",
            node.begin
        ));
        return;
    }
    draft.splice(node.begin, *end, ShareHandle{which, std::move(*value)});
}

void set_variable(Draft& draft, const parse::VariableSet& statement) {
    using Kind = parse::VariableSet::Kind;
    StatementPlan& plan = draft.plan();
    const bool is_reset = statement.kind == Kind::kReset || statement.kind == Kind::kResetAll;
    plan.kind = is_reset ? StatementKind::kReset : StatementKind::kSet;
    if (statement.kind == Kind::kResetAll) {
        plan.may_change_session_parameters = true;
        plan.may_change_search_path = true;
        return;
    }
    plan.may_change_search_path = changes_search_path(statement.name);
    const auto which = veil_parameter(draft, statement.name);
    if (!which) {
        return;
    }
    plan.may_change_session_parameters = true;
    if (statement.kind != Kind::kValue) {
        return;
    }
    if (statement.values.size() != 1) {
        draft.refuse(postgres_error(
            "22023", "SET " + statement.name + " takes only one argument", parse::kNowhere
        ));
        return;
    }
    hide_value(draft, *statement.values.front(), *which);
}

void show_variable(Draft& draft, const parse::VariableShow& statement) {
    draft.plan().kind = StatementKind::kShow;
    if (is_verified_name(statement.name)) {
        return;
    }
    draft.plan().shown_parameter = veil_parameter(draft, statement.name);
}

void refuse_settings_update(Draft& draft, const parse::Statement& statement) {
    const parse::Statement* inner = &statement;
    if (const auto* const explain = std::get_if<parse::Explain>(&statement.node)) {
        inner = explain->statement.get();
    }
    const auto* const create =
        inner == nullptr ? nullptr : std::get_if<parse::CreateTableAs>(&inner->node);
    for (const auto& table : statement.inventory.tables) {
        const bool is_named =
            table.name == "pg_settings" && (table.schema.empty() || table.schema == "pg_catalog");
        const bool is_made = create != nullptr && table.begin == create->target.begin;
        if (is_named && !table.is_source && !is_made && !draft.text().context.policy.is_empty()) {
            draft.refuse(refusal_of("pg_settings", "UPDATE", "use SET", table.begin));
        }
    }
}

StatementKind kind_of_transaction(parse::Transaction::Kind kind) {
    using Kind = parse::Transaction::Kind;
    switch (kind) {
        case Kind::kBegin: return StatementKind::kBegin;
        case Kind::kCommit: return StatementKind::kCommit;
        case Kind::kRollback: return StatementKind::kRollback;
        case Kind::kSavepoint: return StatementKind::kSavepoint;
        case Kind::kRelease: return StatementKind::kReleaseSavepoint;
        case Kind::kRollbackTo: return StatementKind::kRollbackToSavepoint;
        case Kind::kPrepare: return StatementKind::kPrepareTransaction;
        case Kind::kCommitPrepared:
        case Kind::kRollbackPrepared: return StatementKind::kOther;
    }
    return StatementKind::kOther;
}

}  // namespace pgveil::analysis
