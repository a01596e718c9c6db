#include "sql/analysis/own_functions.hpp"

#include "sql/analysis/calls.hpp"
#include "sql/analysis/rejection.hpp"

#include <algorithm>
#include <string>

namespace pgveil::analysis {

namespace {

std::string subject_of(const std::string& schema, const std::string& name) {
    return "function " + schema + "." + name;
}

Rejection refusal_of_routine(
    const catalog::Routine& routine, const std::string& name, std::uint32_t begin
) {
    if (routine.reason == catalog::Routine::Reason::kSignature) {
        return refusal_of(
            subject_of(routine.schema, name),
            "which takes or returns encrypted values",
            "write its query in the statement itself; if it returns rows or values of a protected "
            "table, list it under \"functions\" in the policy",
            begin
        );
    }
    return refusal_of(
        subject_of(routine.schema, name),
        "which names a table with encrypted columns in its source",
        "write its query in the statement itself; if no protected value goes into it or comes out "
        "of it, list it under \"plain\" in the policy",
        begin
    );
}

/// `name('...')` may be a cast.
bool may_be_cast(const catalog::Entry& entry) {
    return std::any_of(entry.routines.begin(), entry.routines.end(), [](const auto& routine) {
        return routine.reason == catalog::Routine::Reason::kType;
    });
}

/// A call of the name may mean a function of another schema, or one that sees nothing protected.
bool is_ambiguous(const catalog::Entry& all, const catalog::Entry& concerned) {
    const auto is_function = [](const catalog::Routine& routine) {
        return routine.reason != catalog::Routine::Reason::kType;
    };
    const auto count = std::ranges::count_if(all.routines, is_function);
    return count != std::ssize(concerned.routines) ||
           std::ranges::any_of(concerned.routines, [&](const catalog::Routine& routine) {
               return routine.schema != concerned.routines.front().schema;
           });
}

Rejection refusal_of_name(const catalog::RelationName& name, std::uint32_t begin) {
    return refusal_of(
        "function " + (name.schema.empty() ? name.name : name.schema + "." + name.name),
        "whose name others have, which return something else",
        "call it as schema.function; inside its schema it needs a name of its own",
        begin
    );
}

/// What a call may do: `all` are the functions of that name, `concerned` those of them that see
/// something protected.
Judgement judge_routines(
    const config::Policy& policy,
    const catalog::RelationName& name,
    const catalog::Entry& all,
    const catalog::Entry& concerned,
    std::uint32_t begin
) {
    Judgement harmless;
    harmless.is_own_function = true;
    for (const catalog::Routine& routine : concerned.routines) {
        const auto* const listed = policy.function(routine.schema, name.name);
        const bool may_be_called =
            listed != nullptr || (routine.reason == catalog::Routine::Reason::kSource &&
                                  policy.is_listed_plain(routine.schema, name.name));
        if (!may_be_called) {
            return Judgement{
                Standing::kRejected, nullptr, refusal_of_routine(routine, name.name, begin)};
        }
        harmless.returns = listed != nullptr ? listed : harmless.returns;
    }
    if (harmless.returns != nullptr && is_ambiguous(all, concerned)) {
        return Judgement{Standing::kRejected, nullptr, refusal_of_name(name, begin)};
    }
    return harmless;
}

}  // namespace

Judgement Relations::judge_function(const catalog::RelationName& name, std::uint32_t begin) {
    if (context_.policy.is_empty() || is_catalog_name(name) || name.schema == "pgveil") {
        return {};
    }
    using Kind = catalog::RelationName::Kind;
    const Judgement missing{Standing::kMissing, nullptr, {}};
    const catalog::Entry* const all = asked_for({name.schema, name.name, Kind::kFunction});
    if (all == nullptr) {
        return missing;
    }
    if (all->routines.empty()) {
        return {};
    }
    if (may_be_cast(*all)) {
        Judgement type = judge_type({name.schema, name.name, Kind::kType}, begin);
        if (type.standing != Standing::kPlain) {
            return type;
        }
    }
    const auto* const concerned = asked_for({name.schema, name.name, Kind::kFunctionBody});
    return concerned == nullptr ? missing
                                : judge_routines(context_.policy, name, *all, *concerned, begin);
}

const config::FunctionPolicy* function_entry(Text& text, const parse::Call& call) {
    return call.name.empty()
               ? nullptr
               : text.relations.judge_function(called_name(call), parse::kNowhere).returns;
}

Rejection stored_function_refusal(
    const config::FunctionPolicy& function, std::string_view where, std::uint32_t begin
) {
    return refusal_of(
        subject_of(function.name.schema, function.name.name),
        "which returns encrypted values, " + std::string(where),
        "call it in SELECT, INSERT, UPDATE or DELETE: in FROM if it returns rows",
        begin
    );
}

}  // namespace pgveil::analysis
