#include "sql/analysis/prepared_statement.hpp"

#include "sql/analysis/constants.hpp"
#include "sql/analysis/type_names.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace pgveil::analysis {

namespace {

constexpr std::string_view kProtectedType = "pg_catalog.bytea";

std::uint32_t oid_of(const parse::TypeName& name, EnumTypes& enums) {
    constexpr std::uint32_t kNoOid = 0;
    if (!name.is_array && !name.names.empty() && name.names.back() == "unknown") {
        return kNoOid;
    }
    const auto type = type_of(name, enums);
    return type ? types::oid_of(type->kind) : kForeignOid;
}

/// The types behind the last one listed, up to the last protected one.
std::string types_not_listed(const std::set<std::uint32_t>& sealed, std::size_t listed) {
    std::string text;
    for (auto number = static_cast<std::uint32_t>(listed + 1); number <= *sealed.rbegin();
         ++number) {
        text.append(number == 1 ? "" : ", ");
        text.append(sealed.contains(number) ? kProtectedType : "pg_catalog.unknown");
    }
    return text;
}

void refuse_list(Draft& draft, std::uint32_t begin) {
    draft.refuse(refusal_of(
        "encrypted parameters",
        "this way of writing PREPARE",
        "write PREPARE name (type, ...) AS statement",
        begin
    ));
}

}  // namespace

void declare_parameters(Draft& draft, const parse::Prepare& prepare) {
    std::vector<std::uint32_t> oids;
    for (const parse::TypeName& type : prepare.types) {
        oids.push_back(oid_of(type, draft.enums()));
    }
    draft.declare(std::move(oids));
    draft.parameters().forbid_splits();
}

void rewrite_parameter_types(Draft& draft, const parse::Prepare& prepare, std::uint32_t begin) {
    std::set<std::uint32_t> sealed;
    for (const ParameterPlan& parameter : draft.plan().parameters) {
        if (parameter.column != nullptr) {
            sealed.insert(parameter.number);
        }
    }
    if (sealed.empty()) {
        return;
    }
    const parse::Tokens& tokens = draft.text().tokens;
    const std::size_t name = tokens.inside(begin, UINT32_MAX).first + 1;  // behind PREPARE
    auto end = name < tokens.size() ? parse::qualified_name_end(tokens, tokens[name].begin)
                                    : std::optional<std::uint32_t>();
    for (std::size_t i = 0; i < prepare.types.size(); ++i) {
        const std::uint32_t type = prepare.types[i].begin;
        end = parse::type_name_end(tokens, type);
        if (end && sealed.contains(static_cast<std::uint32_t>(i + 1))) {
            draft.splice(type, *end, FixedText{std::string(kProtectedType)});
        }
    }
    if (!end) {
        refuse_list(draft, tokens[name - 1].begin);
        return;
    }
    const std::string more = types_not_listed(sealed, prepare.types.size());
    if (!more.empty()) {
        draft.splice(*end, *end, FixedText{prepare.types.empty() ? "(" + more + ")" : more});
    }
}

namespace {

/// One argument for a parameter that is a value of a protected column.
void seal_argument(
    Draft& draft, const parse::Expression& argument, const ParameterPlan& parameter
) {
    const auto bare = bare_constant(argument);
    if (!bare) {
        draft.refuse(
            "an expression as argument of EXECUTE",
            "give a constant, or execute the statement through the protocol (Bind), as drivers do",
            parameter.column,
            argument.begin
        );
    } else if (bare->parameter != nullptr) {
        draft.refuse(postgres_error(
            "42P02",
            "there is no parameter $" + std::to_string(bare->parameter->number),
            bare->begin
        ));
    } else if (!parameter.row.empty() && !is_null_constant(argument)) {
        draft.refuse(
            "EXECUTE of a statement that writes it beside the keys of bind_to",
            "execute the statement through the protocol (Bind), or write INSERT or UPDATE itself",
            parameter.column,
            argument.begin
        );
    } else {
        draft.seal_argument(argument, parameter);
    }
}

bool serves_the_session(const StatementPlan& used) {
    return used.call || used.shown_parameter ||
           std::any_of(
               used.parameters.begin(),
               used.parameters.end(),
               [](const ParameterPlan& parameter) {
                   return parameter.handle || parameter.is_parameter_name;
               }
           );
}

Rejection wrong_count(const parse::Execute& execute, std::uint32_t expected) {
    Rejection result = postgres_error(
        "42601",
        "wrong number of parameters for prepared statement \"" + execute.name + "\"",
        parse::kNowhere
    );
    result.detail = "Expected " + std::to_string(expected) + " parameters but got " +
                    std::to_string(execute.arguments.size()) + ".";
    return result;
}

void seal_arguments(Draft& draft, const parse::Execute& execute, const StatementPlan& used) {
    if (serves_the_session(used)) {
        draft.refuse(refusal_of(
            "\"" + execute.name + "\"",
            "EXECUTE of a statement that pgveil answers, or that sets its parameters",
            "execute it through the protocol (Bind), as drivers do",
            parse::kNowhere
        ));
        return;
    }
    if (!used.touches_protected) {
        return;
    }
    if (execute.arguments.size() != used.parameter_count) {
        draft.refuse(wrong_count(execute, used.parameter_count));
        return;
    }
    for (const ParameterPlan& parameter : used.parameters) {
        if (parameter.column != nullptr) {
            seal_argument(draft, *execute.arguments[parameter.number - 1], parameter);
        }
    }
}

}  // namespace

void execute_prepared(Draft& draft, const parse::Execute& execute) {
    const TextNames& names = draft.text().names;
    if (const PlanPtr used = names.prepared(execute.name)) {
        seal_arguments(draft, execute, *used);
        take_over(draft.plan(), used);
    } else if (names.knows_all_prepared()) {
        draft.refuse(postgres_error(
            "26000", "prepared statement \"" + execute.name + "\" does not exist", parse::kNowhere
        ));
    }
}

void fetch_from_portal(Draft& draft, const parse::Fetch& fetch) {
    StatementPlan& plan = draft.plan();
    plan.kind = fetch.is_move ? StatementKind::kMove : StatementKind::kFetch;
    plan.used_name = fetch.name;
    const PlanPtr used = draft.text().names.portal(fetch.name);
    if (used == nullptr) {
        return;
    }
    if (used->call || used->shown_parameter) {
        draft.refuse(refusal_of(
            "\"" + fetch.name + "\"",
            "FETCH from a portal that pgveil answers",
            "execute it through the protocol (Execute)",
            parse::kNowhere
        ));
    }
    plan.used = used;
    if (!fetch.is_move) {
        take_over(plan, used);
    }
}

}  // namespace pgveil::analysis
