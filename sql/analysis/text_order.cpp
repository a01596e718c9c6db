#include "sql/analysis/text_order.hpp"

#include "sql/analysis/named_plans.hpp"
#include "sql/analysis/rejection.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace pgveil::analysis {

namespace {

/// SET TRANSACTION and SET SESSION CHARACTERISTICS change no setting that a value depends on.
bool sets_transaction_mode(const parse::Statement& statement) {
    const auto* const set = std::get_if<parse::VariableSet>(&statement.node);
    return set != nullptr && set->kind == parse::VariableSet::Kind::kMulti;
}

/// Runs a prepared statement or portal of which nobody knows what it does.
bool runs_unknown_name(const StatementPlan& plan) {
    return !plan.used_name.empty() && plan.used == nullptr &&
           plan.kind != StatementKind::kDeallocate && plan.kind != StatementKind::kCloseCursor;
}

template <std::size_t N>
bool is_one_of(StatementKind kind, const std::array<StatementKind, N>& kinds) {
    return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

bool may_change_session(const StatementPlan& plan) {
    using enum StatementKind;
    constexpr std::array kChanging = {
        kSet,
        kReset,
        kCommit,
        kRollback,
        kReleaseSavepoint,
        kRollbackToSavepoint,
        kPrepareTransaction,
        kDiscard};
    return is_one_of(plan.kind, kChanging) || plan.may_change_session_parameters ||
           plan.may_change_search_path || plan.runs_unknown_sql || plan.calls_set_config ||
           runs_unknown_name(plan) || (plan.used != nullptr && may_change_session(*plan.used));
}

bool changes_rows(const parse::With& with) {
    return std::any_of(with.tables.begin(), with.tables.end(), [](const parse::CommonTable& table) {
        const auto* const query =
            table.query == nullptr
                ? nullptr
                : std::get_if<std::unique_ptr<parse::Select>>(&table.query->node);
        return query == nullptr || analysis::changes_rows(query->get());
    });
}

/// COPY TO reads, but for what its query may change.
bool only_reads(const parse::Copy* copy) {
    if (copy == nullptr || copy->is_from) {
        return false;
    }
    const auto* const select =
        copy->query == nullptr ? nullptr
                               : std::get_if<std::unique_ptr<parse::Select>>(&copy->query->node);
    return copy->query == nullptr || (select != nullptr && !analysis::changes_rows(select->get()));
}

/// Writes, or ends the transaction. Kinds of which nothing is known count as writing.
bool makes_final(const StatementPlan& plan, const parse::Statement& statement) {
    using enum StatementKind;
    constexpr std::array kPassing = {
        kSet,
        kReset,
        kShow,
        kBegin,
        kSavepoint,
        kReleaseSavepoint,
        kDiscard,
        kPrepare,
        kDeallocate,
        kDeclareCursor,
        kCloseCursor,
        kMove};
    if (plan.kind == kSelect) {  // one that changes no rows
        return plan.call.has_value();
    }
    // A portal that Bind made may hold an INSERT.
    const bool fetches = plan.kind == kFetch && plan.used != nullptr && plan.used->kind == kSelect;
    return !fetches && !is_one_of(plan.kind, kPassing) &&
           !only_reads(std::get_if<parse::Copy>(&statement.node));
}

bool is_protected(const StatementPlan& plan) {
    return plan.touches_protected || plan.needs_keys();
}

/// An offset inside the statement that is not a blank or comment, if one is known.
std::uint32_t place_of(const parse::Statement& statement) {
    const auto& tables = statement.inventory.tables;
    return tables.empty() ? parse::kNowhere : tables.front().begin;
}

Rejection out_of_order(
    std::string_view subject, std::string_view construct, const parse::Statement& statement
) {
    return refusal_of(subject, construct, "send it in a statement of its own", place_of(statement));
}

}  // namespace

bool changes_rows(const parse::Select* select) {
    return select != nullptr && (changes_rows(select->with) || changes_rows(select->left.get()) ||
                                 changes_rows(select->right.get()));
}

Decision TextOrder::admit(Decision decision, const parse::Statement& statement) {
    if (!path_is_known_ && !statement.inventory.tables.empty()) {
        return out_of_order("tables", "a change of search_path in the same text", statement);
    }
    const auto* const plan = std::get_if<StatementPlan>(&decision);
    if (plan == nullptr) {
        return decision;
    }
    if (!names_are_known_ && plan->used != nullptr && runs_prepared(*plan)) {
        return out_of_order(
            "prepared statements",
            "a definition or a change of search_path before it in the same text",
            statement
        );
    }
    if (!session_is_known_ && is_protected(*plan)) {
        return out_of_order(
            "protected tables",
            "a statement before it in the same text that may change the session or end the "
            "transaction",
            statement
        );
    }
    if (has_open_results_ && makes_final(*plan, statement)) {
        return out_of_order(
            "a query of protected columns before it in the same text",
            "a statement that writes or ends the transaction",
            statement
        );
    }
    note(*plan, statement);
    return decision;
}

void TextOrder::note(const StatementPlan& plan, const parse::Statement& statement) {
    path_is_known_ = path_is_known_ && !plan.may_change_search_path;
    names_are_known_ = names_are_known_ && !plan.may_change_search_path && !plan.changes_catalog &&
                       !plan.runs_unknown_sql;
    session_is_known_ =
        session_is_known_ && (sets_transaction_mode(statement) || !may_change_session(plan));
    has_open_results_ = has_open_results_ || !plan.results.empty() || plan.copy != nullptr;
}

}  // namespace pgveil::analysis
