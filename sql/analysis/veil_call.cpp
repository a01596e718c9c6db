#include "sql/analysis/calls.hpp"
#include "sql/analysis/constants.hpp"
#include "sql/analysis/share_literals.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>

namespace pgveil::analysis {

namespace {

constexpr std::array<std::pair<std::string_view, VeilCall::Function>, 6> kFunctions = {{
    {"add_user", VeilCall::Function::kAddUser},
    {"change_key", VeilCall::Function::kChangeKey},
    {"withdraw_user", VeilCall::Function::kWithdrawUser},
    {"apply", VeilCall::Function::kApply},
    {"token_key", VeilCall::Function::kTokenKey},
    {"challenge", VeilCall::Function::kChallenge},
}};

constexpr std::array<std::size_t, 6> kArity = {3, 3, 2, 1, 0, 0};

std::optional<VeilCall::Function> veil_function(const parse::Names& name) {
    if (name.size() != 2 || name.front() != "pgveil") {
        return std::nullopt;
    }
    for (const auto& [word, function] : kFunctions) {
        if (word == name.back()) {
            return function;
        }
    }
    return std::nullopt;
}

std::optional<VeilCall::Argument> argument_of(
    const parse::Tokens& tokens, const parse::Expression& node
) {
    const auto bare = bare_constant(node);
    if (bare && bare->parameter != nullptr) {
        return VeilCall::Argument(bare->parameter->number);
    }
    if (is_null_constant(node)) {
        return VeilCall::Argument(nullptr);
    }
    if (!string_of(node)) {
        return std::nullopt;
    }
    const parse::Expression& inner = without_casts(node);
    const auto text = share_of(tokens, inner, std::get<parse::Constant>(inner.node));
    return VeilCall::Argument(core::SecretBytes::copy_of(core::as_bytes(text)));
}

/// SELECT with one call and nothing else.
const parse::Call* lone_call(const parse::Select& statement) {
    const bool is_bare =
        statement.operation == parse::Select::SetOperation::kNone && statement.from.empty() &&
        statement.where == nullptr && statement.with.tables.empty() && statement.limits.empty() &&
        statement.order_by.empty() && statement.group_by.empty() && statement.having == nullptr &&
        statement.windows.empty() && !statement.distinct && statement.targets.size() == 1;
    return is_bare && statement.targets.front().value != nullptr
               ? std::get_if<parse::Call>(&statement.targets.front().value->node)
               : nullptr;
}

/// First and last byte of the statement without the blanks and comments around it.
std::pair<std::uint32_t, std::uint32_t> bare_range(
    const parse::Tokens& tokens, const StatementPlan& plan
) {
    const auto range = tokens.inside(plan.begin, plan.end);
    if (range.first == range.last) {
        return {plan.begin, plan.end};
    }
    return {tokens[range.first].begin, tokens[range.last - 1].end};
}

std::string quoted(const std::string& name) {
    std::string result = "\"";
    for (const char letter : name) {
        result.append(letter == '"' ? 2 : 1, letter);
    }
    return result + "\"";
}

}  // namespace

bool answer_veil_call(Draft& draft, const parse::Select& statement) {
    const parse::Call* const call = lone_call(statement);
    const auto function = call == nullptr ? std::nullopt : veil_function(call->name);
    if (!function) {
        return false;
    }
    constexpr std::uint32_t kTextOid = 25;
    const std::string& name = call->name.back();
    VeilCall answer;
    answer.function = *function;
    for (const auto& node : call->arguments) {
        auto argument = argument_of(draft.text().tokens, *node);
        if (!argument) {
            draft.refuse(refusal_of(
                "pgveil." + name,
                "an expression as argument",
                "pass string literals, NULL or parameters",
                node->begin
            ));
            return true;
        }
        if (const auto* const number = std::get_if<std::uint32_t>(&*argument)) {
            ParameterPlan parameter;
            parameter.number = *number;
            parameter.declared_oid = kTextOid;
            parameter.described_oid = kTextOid;
            draft.add_parameter(parameter);
        }
        answer.arguments.push_back(std::move(*argument));
    }
    const bool is_odd = call->star || call->distinct || call->has_over || !call->order_by.empty() ||
                        !call->clauses.empty();
    if (is_odd || answer.arguments.size() != kArity.at(static_cast<std::size_t>(*function))) {
        const std::string message =
            "function pgveil." + name + " does not exist with these arguments";
        draft.refuse(postgres_error("42883", message, statement.targets.front().value->begin));
        return true;
    }
    const std::string& alias = statement.targets.front().name;
    const auto [begin, end] = bare_range(draft.text().tokens, draft.plan());
    draft.splice(
        begin,
        end,
        FixedText{"SELECT NULL::pg_catalog.text AS " + quoted(alias.empty() ? name : alias)}
    );
    draft.plan().call = std::move(answer);
    return true;
}

}  // namespace pgveil::analysis
