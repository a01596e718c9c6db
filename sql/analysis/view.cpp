#include "sql/analysis/view.hpp"

#include "sql/analysis/calls.hpp"
#include "sql/analysis/query.hpp"
#include "sql/parse/parser.hpp"

#include <algorithm>

namespace pgveil::analysis {

namespace {

ViewColumns unusable(std::string problem) {
    return {{}, {}, std::move(problem)};
}

/// A query in a place that no rule went through.
bool reads_unseen(const parse::Statement& statement, const Draft& draft, Relations& relations) {
    const auto& tables = statement.inventory.tables;
    return statement.inventory.has_unknown ||
           std::any_of(tables.begin(), tables.end(), [&](const auto& table) {
               return !table.is_common && !draft.has_read(table.begin) &&
                      relations.judge(table).standing != Standing::kPlain;
           });
}

ColumnPtr bound_below(const parse::Statement& statement, Relations& relations) {
    for (const auto& table : statement.inventory.tables) {
        const auto* const known = table.is_common ? nullptr : relations.judge(table).known;
        if (known != nullptr && known->bound_below != nullptr) {
            return known->bound_below;
        }
        for (const ColumnPtr& veil : known == nullptr ? std::vector<ColumnPtr>() : known->veils) {
            if (veil != nullptr && veil->is_bound()) {
                return veil;
            }
        }
    }
    return nullptr;
}

bool seals_something(const StatementPlan& plan) {
    return !plan.parameters.empty() ||
           std::any_of(plan.splices.begin(), plan.splices.end(), [](const Splice& splice) {
               return !std::holds_alternative<FixedText>(splice.replacement);
           });
}

/// Lineage and catalog must say the same of every column.
ViewColumns agreed(const catalog::Relation& view, const StatementPlan& plan) {
    ViewColumns result;
    if (!plan.results.empty() && plan.results.size() != view.columns.size()) {
        return unusable("whose query has another number of columns");
    }
    for (std::size_t i = 0; i < view.columns.size(); ++i) {
        const ColumnPtr veil = plan.results.empty() ? nullptr : plan.results[i].column;
        const bool is_changed = !plan.results.empty() && plan.results[i].shown_type.has_value();
        if ((veil != nullptr) != view.columns[i].is_ciphertext || is_changed) {
            return unusable("whose query does not tell which columns are encrypted");
        }
        if (veil != nullptr && !plan.results[i].others.empty()) {
            return unusable("with a column that holds values of several contexts");
        }
        if (veil != nullptr && veil->is_bound()) {
            return unusable("with a column that is bound to its row (bind_to)");
        }
        result.veils.push_back(veil);
    }
    return result;
}

}  // namespace

ViewColumns columns_of_view(
    const catalog::Relation& view, const Context& context, Relations& relations
) {
    const auto statements = parse::parse(view.view_text);
    if (!statements || statements->size() != 1) {
        return unusable("whose query pgveil cannot read");
    }
    const parse::Statement& statement = statements->front();
    const auto* const select = std::get_if<std::unique_ptr<parse::Select>>(&statement.node);
    if (select == nullptr || *select == nullptr) {
        return unusable("whose query is no SELECT");
    }
    const parse::Tokens tokens(view.view_text, true);
    Text text{view.view_text, context, tokens, relations};
    text.is_view = true;
    Draft draft(text, statement);
    check_calls(draft, statement.inventory);
    Query(draft).select(**select);
    const bool is_unseen = !draft.is_refused() && reads_unseen(statement, draft, relations);
    const Decision decision = std::move(draft).finish();
    if (const auto* const rejection = std::get_if<Rejection>(&decision)) {
        const bool is_named = !rejection->construct.empty();
        return unusable(
            "in whose query " +
            (is_named ? rejection->subject + " meets " + rejection->construct : rejection->message)
        );
    }
    const auto& plan = std::get<StatementPlan>(decision);
    if (is_unseen) {
        return unusable("with a sub-query that pgveil cannot follow");
    }
    if (seals_something(plan)) {
        return unusable("with a constant in its query in place of an encrypted value");
    }
    ViewColumns columns = agreed(view, plan);
    columns.bound_below = bound_below(statement, relations);
    return columns;
}

}  // namespace pgveil::analysis
