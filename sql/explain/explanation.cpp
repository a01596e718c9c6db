#include "sql/explain/explanation.hpp"

#include "config/migrating.hpp"
#include "sql/analysis/copy_plan.hpp"
#include "sql/rewrite/rewrite.hpp"

#include <algorithm>
#include <set>

namespace pgveil::explain {

namespace {

using analysis::Rejection;
using analysis::StatementPlan;

std::string trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) {
        return {};
    }
    return std::string(text.substr(first, text.find_last_not_of(kBlank) - first + 1));
}

std::string shown(const analysis::Replacement& replacement) {
    if (const auto* const fixed = std::get_if<analysis::FixedText>(&replacement)) {
        return fixed->text;
    }
    if (const auto* const sealed = std::get_if<analysis::SealedLiteral>(&replacement)) {
        return "E'\\\\x<" + sealed->column->qualified_name() + ">'::bytea";
    }
    return "'<handle>'";
}

std::string sent(std::string_view sql, const StatementPlan& plan) {
    std::vector<rewrite::Replacement> replacements;
    for (const analysis::Splice& splice : plan.splices) {
        replacements.push_back(
            {splice.begin - plan.begin, splice.end - plan.begin, shown(splice.replacement)}
        );
    }
    const std::string_view own = sql.substr(plan.begin, plan.end - plan.begin);
    return trimmed(rewrite::apply(own, replacements).text);
}

std::string described(const field::ProtectedColumn& column) {
    return column.qualified_name() + " (" + types::sql_name_of(column.type) + ", " +
           std::string(config::name_of(column.scheme)) + ")";
}

/// "character 12 of the text"
std::string place(std::string_view sql, std::uint32_t offset) {
    return "character " + std::to_string(rewrite::character_position(sql, offset));
}

void add_seals(std::string_view sql, const StatementPlan& plan, std::string& into) {
    for (const analysis::Splice& splice : plan.splices) {
        if (const auto* const sealed = std::get_if<analysis::SealedLiteral>(&splice.replacement)) {
            into += "  seals:  the constant at " + place(sql, splice.begin) + " for " +
                    described(*sealed->column) + '\n';
        }
    }
    for (const analysis::ParameterPlan& parameter : plan.parameters) {
        if (parameter.column != nullptr) {
            into += "  seals:  parameter $" + std::to_string(parameter.client_number()) + " for " +
                    described(*parameter.column) + '\n';
        }
    }
}

void add_opens(const StatementPlan& plan, std::string& into) {
    for (std::size_t i = 0; i < plan.shown_results(); ++i) {
        if (plan.results[i].column != nullptr) {
            into += "  opens:  result column " + std::to_string(i + 1) + ", " +
                    described(*plan.results[i].column);
            for (const analysis::ColumnPtr& other : plan.results[i].others) {
                into += " or " + described(*other);
            }
            into += '\n';
        }
    }
}

void add_leakage(const StatementPlan& plan, std::string& into) {
    for (const analysis::ColumnPtr& column : plan.columns) {
        into += "  shows:  of " + described(*column) + ": " + leakage_of(*column) + '\n';
    }
}

template <class Names>
std::string listed(const Names& names) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text;
}

/// Key groups, each once.
struct Groups {
    std::set<std::string> needed;
    std::set<std::string> hidden;  ///< who lacks these reads NULL

    void need(const analysis::ColumnPtr& column) {
        if (column != nullptr) {
            needed.insert(column->group);
        }
    }

    void open(const std::vector<analysis::ResultColumn>& results) {
        for (const analysis::ResultColumn& result : results) {
            open(result.column);
            std::for_each(result.others.begin(), result.others.end(), [this](const auto& other) {
                open(other);
            });
        }
    }

    void open(const analysis::ColumnPtr& column) {
        if (column != nullptr) {
            (column->is_null_without_key ? hidden : needed).insert(column->group);
        }
    }
};

/// What the proxy asks a user's shares for before it sends the statement.
Groups groups_of(const StatementPlan& plan) {
    Groups groups;
    for (const auto* columns : {&plan.guarded, &plan.compared}) {
        std::for_each(columns->begin(), columns->end(), [&groups](const auto& column) {
            groups.need(column);
        });
    }
    for (const analysis::Splice& splice : plan.splices) {
        if (const auto* const sealed = std::get_if<analysis::SealedLiteral>(&splice.replacement)) {
            groups.need(sealed->column);
        }
    }
    for (const analysis::ParameterPlan& parameter : plan.parameters) {
        groups.need(parameter.column);
    }
    groups.open(plan.results);
    if (plan.copy != nullptr && plan.copy->is_from) {
        for (const analysis::ResultColumn& column : plan.copy->columns) {
            groups.need(column.column);
        }
    } else if (plan.copy != nullptr) {
        groups.open(plan.copy->columns);
    }
    return groups;
}

std::string shares_text(const StatementPlan& plan) {
    if (!plan.needs_keys()) {
        return "no shares";
    }
    Groups groups = groups_of(plan);
    for (const std::string& group : groups.needed) {
        groups.hidden.erase(group);
    }
    std::string text = "the shares of a user";
    if (!groups.needed.empty()) {
        text += " with key group" + std::string(groups.needed.size() > 1 ? "s " : " ") +
                listed(groups.needed);
    }
    if (!groups.hidden.empty()) {
        text += "; NULL is read without key group" +
                std::string(groups.hidden.size() > 1 ? "s " : " ") + listed(groups.hidden);
    }
    return text;
}

/// What a restricted token has to allow.
std::string scope_text(const StatementPlan& plan) {
    std::string text = plan.may_write ? "writing" : "reading";
    if (!plan.tables.empty()) {
        text += ", tables " + listed(plan.tables);
    }
    if (std::any_of(plan.tables.begin(), plan.tables.end(), config::is_name_beside_migrating)) {
        text += ", maintain";
    }
    return text;
}

std::string plan_text(std::string_view sql, const StatementPlan& plan) {
    if (plan.is_plain() && !plan.touches_protected) {
        return "touches nothing protected: sent as it is\n";
    }
    if (plan.call) {
        return "answered by pgveil; the database sees a stand-in\n";
    }
    std::string text = "allowed\n  sent:   " + sent(sql, plan) + '\n';
    add_seals(sql, plan, text);
    add_opens(plan, text);
    add_leakage(plan, text);
    text += "  needs:  " + shares_text(plan) + '\n';
    text += "  scope:  " + scope_text(plan) + '\n';
    return text;
}

std::string rejection_text(std::string_view sql, const Rejection& rejection) {
    std::string text = "refused with " + rejection.sqlstate;
    if (rejection.position >= 0) {
        text += " at " + place(sql, static_cast<std::uint32_t>(rejection.position));
    }
    text += "\n  why:    " + rejection.message + '\n';
    if (!rejection.detail.empty()) {
        text += "  detail: " + rejection.detail + '\n';
    }
    if (!rejection.hint.empty()) {
        text += "  instead: " + rejection.hint + '\n';
    }
    return text;
}

}  // namespace

std::string leakage_of(const field::ProtectedColumn& column) {
    const std::string always = "which values are NULL, ";
    switch (column.scheme) {
        case config::Scheme::kRandomized: return always + "how long each is";
        case config::Scheme::kPadded:
            return always + "how long each is, in steps of " + std::to_string(column.pad_to) +
                   " bytes";
        case config::Scheme::kEquality: return always + "how long each is, which are equal";
        case config::Scheme::kOrder:
            return always +
                   "how long each is, which are equal, their order and roughly how far "
                   "apart they are";
    }
    return always;
}

bool is_allowed(const analysis::Analysis& analysis) {
    return std::all_of(
        analysis.statements.begin(),
        analysis.statements.end(),
        [](const analysis::Decision& decision) {
            return std::holds_alternative<StatementPlan>(decision);
        }
    );
}

std::string explanation(std::string_view sql, const analysis::Analysis& analysis) {
    if (analysis.statements.empty()) {
        return analysis.parse_failed
                   ? "not readable, and concerns nothing protected: sent as it is\n"
                   : "no statement\n";
    }
    std::string text;
    for (std::size_t i = 0; i < analysis.statements.size(); ++i) {
        const auto* const plan = std::get_if<StatementPlan>(&analysis.statements[i]);
        text += "statement " + std::to_string(i + 1) + ": ";
        text += plan != nullptr ? plan_text(sql, *plan)
                                : rejection_text(sql, std::get<Rejection>(analysis.statements[i]));
    }
    return text;
}

}  // namespace pgveil::explain
