#include "sql/analysis/calls.hpp"

#include "sql/analysis/constants.hpp"
#include "sql/analysis/session.hpp"
#include "sql/analysis/settings_call.hpp"
#include "sql/analysis/share_literals.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace pgveil::analysis {

namespace {

constexpr std::array<std::string_view, 17> kSqlRunners = {
    "cursor_to_xml",
    "cursor_to_xmlschema",
    "query_to_xml",
    "query_to_xmlschema",
    "query_to_xml_and_xmlschema",
    "table_to_xml",
    "table_to_xmlschema",
    "table_to_xml_and_xmlschema",
    "schema_to_xml",
    "schema_to_xmlschema",
    "schema_to_xml_and_xmlschema",
    "database_to_xml",
    "database_to_xmlschema",
    "database_to_xml_and_xmlschema",
    "ts_stat",
    "ts_rewrite",
    "xpath_table",
};

constexpr std::array<std::string_view, 3> kSqlRunnerPrefixes = {"dblink", "crosstab", "connectby"};

bool is_letter_of_word(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' ||
           static_cast<unsigned char>(letter) >= 0x80U;
}

}  // namespace

catalog::RelationName called_name(const parse::Call& call) {
    const std::size_t parts = call.name.size();
    return {
        parts > 1 ? call.name[parts - 2] : std::string(),
        parts > 0 ? call.name.back() : std::string()};
}

bool runs_sql(const std::string& function_name) {
    return std::find(kSqlRunners.begin(), kSqlRunners.end(), function_name) != kSqlRunners.end() ||
           std::any_of(
               kSqlRunnerPrefixes.begin(),
               kSqlRunnerPrefixes.end(),
               [&](std::string_view prefix) { return function_name.starts_with(prefix); }
           );
}

Rejection sql_runner_refusal(const std::string& function_name, std::uint32_t begin) {
    return refusal_of(
        "protected tables",
        "function " + function_name + ", which runs SQL given as a string",
        "run the query itself through the proxy",
        begin
    );
}

bool mentions_protected(std::string_view text, const config::Policy& policy) {
    std::string word;
    const auto is_concerned = [&policy](std::string& found) {
        std::string folded = found;
        std::transform(folded.begin(), folded.end(), folded.begin(), [](char letter) {
            return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
        });
        const bool concerned = policy.is_protected_name(found) ||
                               policy.is_protected_name(folded) || folded.starts_with("pgveil");
        found.clear();
        return concerned;
    };
    for (const char letter : text) {
        if (is_letter_of_word(letter)) {
            word.push_back(letter);
        } else if (!word.empty() && is_concerned(word)) {
            return true;
        }
    }
    return !word.empty() && is_concerned(word);
}

namespace {

/// set_config(name, $n, ...) or with a literal: the value of a parameter of ours.
void hide_set_config_value(Draft& draft, const parse::Expression& value, SessionParameter which) {
    const auto bare = bare_constant(value);
    if (is_null_constant(value)) {
        return;
    }
    const bool is_parameter = bare && bare->parameter != nullptr;
    if (is_parameter && draft.occurrences_of(bare->parameter->number) == 1) {
        constexpr std::uint32_t kTextOid = 25;
        ParameterPlan parameter;
        parameter.number = bare->parameter->number;
        parameter.handle = which;
        const std::uint32_t declared = draft.declared_oid(parameter.number);
        parameter.declared_oid = declared == 0 ? kTextOid : declared;
        parameter.described_oid = parameter.declared_oid;
        draft.add_parameter(parameter);
        return;
    }
    if (is_parameter || !string_of(value)) {
        draft.refuse(refusal_of(
            std::string(name_of(which)),
            "an expression as value",
            "pass a string literal, or a parameter used only here",
            value.begin
        ));
        return;
    }
    // string_of() has seen that a constant is inside; casts to text stay around the handle.
    hide_value(draft, without_casts(value), which);
}

/// The name is a parameter: what it names is decided at Bind.
void note_name_parameter(Draft& draft, std::uint32_t number) {
    ParameterPlan name;
    name.number = number;
    name.is_parameter_name = true;
    name.declared_oid = draft.declared_oid(number);
    draft.add_parameter(name);
    draft.plan().may_change_search_path = true;
}

void check_set_config(Draft& draft, const parse::Expression& node, const parse::Call& call) {
    if (call.arguments.size() != 3) {
        draft.refuse(refusal_of(
            "set_config", "this form of call", "pass name, value and is_local", node.begin
        ));
        return;
    }
    const auto bare = bare_constant(*call.arguments[0]);
    if (bare && bare->parameter != nullptr) {
        note_name_parameter(draft, bare->parameter->number);
        return;
    }
    const auto written = string_of(*call.arguments[0]);
    if (!written) {
        draft.refuse(refusal_of(
            "set_config",
            "an expression as parameter name",
            "write the name as a string literal, or take it from pg_settings alone: SELECT "
            "set_config(name, '...', false) FROM pg_settings WHERE name = ...",
            node.begin
        ));
        return;
    }
    const std::string name(*written);
    draft.plan().may_change_search_path |= changes_search_path(name);
    if (const auto which = veil_parameter(draft, name)) {
        draft.plan().may_change_session_parameters = true;
        hide_set_config_value(draft, *call.arguments[1], *which);
    }
}

void check_sql_runner(Draft& draft, const parse::Expression& node, const parse::Call& call) {
    // ts_rewrite(query, target, substitute) is the one form that runs nothing.
    const bool is_harmless = call.name.back() == "ts_rewrite" && call.arguments.size() == 3;
    if (!is_harmless && !draft.text().context.policy.is_empty()) {
        draft.refuse(sql_runner_refusal(call.name.back(), node.begin));
    }
}

void check_current_setting(Draft& draft, const parse::Expression& node, const parse::Call& call) {
    const auto name = call.arguments.empty() ? std::nullopt : string_of(*call.arguments.front());
    if (name && is_veil_parameter_name(*name) && !is_verified_name(*name)) {
        draft.refuse(refusal_of(
            std::string(*name), "current_setting", "use SHOW " + std::string(*name), node.begin
        ));
    }
}

/// A function that somebody made over a protected table opens nothing and seals nothing; what it
/// returns is opened if the policy says what it is.
void check_function(Draft& draft, const parse::Expression& node, const parse::Call& call) {
    if (call.name.empty()) {
        return;
    }
    const Judgement judgement =
        draft.text().relations.judge_function(called_name(call), node.begin);
    if (judgement.rejection) {
        draft.refuse(*judgement.rejection);
    }
    draft.plan().calls_own_function |= judgement.is_own_function;
    draft.plan().touches_protected |= judgement.returns != nullptr;
}

}  // namespace

void check_calls(Draft& draft, const parse::Inventory& inventory, const parse::Select* select) {
    draft.plan().calls_own_function |= inventory.has_unknown;
    const parse::Expression* const harmless = select != nullptr ? settings_call(*select) : nullptr;
    for (const parse::Expression* node : inventory.calls) {
        const auto& call = std::get<parse::Call>(node->node);
        const std::string name = call.name.empty() ? std::string() : call.name.back();
        if (call.name.size() > 1 && call.name.front() == "pgveil") {
            draft.refuse(refusal_of(
                "pgveil." + name,
                "a call of this function here",
                "call one of add_user, change_key, withdraw_user, apply, token_key, challenge as "
                "SELECT pgveil.<function>(...)",
                node->begin
            ));
        } else if (node == harmless) {
            pass_settings_call(draft, *select);
        } else if (name == "set_config") {
            check_set_config(draft, *node, call);
        } else if (name == "current_setting") {
            check_current_setting(draft, *node, call);
        } else if (runs_sql(name)) {
            check_sql_runner(draft, *node, call);
        }
        check_function(draft, *node, call);
    }
}

}  // namespace pgveil::analysis
