#include "sql/analysis/relations.hpp"

#include <algorithm>
#include <string>

// Names of functions and of types, as far as rows of protected tables are in them.
namespace pgveil::analysis {

namespace {

std::string display(const std::string& schema, const std::string& name) {
    return schema.empty() ? name : schema + "." + name;
}

Judgement rejected(Rejection rejection) {
    return Judgement{Standing::kRejected, nullptr, std::move(rejection)};
}

Rejection function_refusal(
    const catalog::Routine& routine, const std::string& name, std::uint32_t begin
) {
    const std::string subject = "function " + display(routine.schema, name);
    if (routine.reason == catalog::Routine::Reason::kSignature) {
        return refusal_of(
            subject,
            "which takes or returns encrypted values",
            "write its query in the statement itself, or call it past pgveil",
            begin
        );
    }
    return refusal_of(
        subject,
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

Judgement row_type_of(const std::string& relation, std::uint32_t begin) {
    return rejected(refusal_of(
        relation,
        "the row type of a table with encrypted columns",
        "write the columns one by one",
        begin
    ));
}

}  // namespace

Judgement Relations::judge_function(const catalog::RelationName& name, std::uint32_t begin) {
    if (context_.policy.is_empty() || is_catalog_name(name) || name.schema == "pgveil") {
        return {};
    }
    using Kind = catalog::RelationName::Kind;
    const catalog::Entry* entry = asked_for({name.schema, name.name, Kind::kFunction});
    const bool is_own = entry != nullptr && !entry->routines.empty();
    if (is_own && may_be_cast(*entry)) {
        Judgement type = judge_type({name.schema, name.name, Kind::kType}, begin);
        if (type.standing != Standing::kPlain) {
            return type;
        }
    }
    if (is_own) {
        entry = asked_for({name.schema, name.name, Kind::kFunctionBody});
    }
    if (entry == nullptr) {
        return Judgement{Standing::kMissing, nullptr, {}};
    }
    for (const catalog::Routine& routine : entry->routines) {
        const bool is_listed = routine.reason == catalog::Routine::Reason::kSource &&
                               context_.policy.is_listed_plain(routine.schema, name.name);
        if (!is_listed) {
            return rejected(function_refusal(routine, name.name, begin));
        }
    }
    Judgement harmless;
    harmless.is_own_function = is_own;
    return harmless;
}

Judgement Relations::judge_row_type(const catalog::RelationName& name, std::uint32_t begin) {
    Judgement judgement = judge_candidate(name, begin);
    return judgement.standing == Standing::kProtected
               ? row_type_of(display(name.schema, name.name), begin)
               : std::move(judgement);
}

Judgement Relations::judge_type(const catalog::RelationName& name, std::uint32_t begin) {
    const catalog::Entry* const entry = asked_for(name);
    if (entry == nullptr) {
        return Judgement{Standing::kMissing, nullptr, {}};
    }
    if (!entry->held_rows) {
        return {};
    }
    for (const auto& [schema, relation] : entry->held_rows->relations) {
        Judgement judgement = judge_row_type({schema, relation}, begin);
        if (judgement.standing != Standing::kPlain) {
            return judgement;
        }
    }
    return entry->held_rows->is_veiled ? rejected(refusal_of(
                                             display(name.schema, name.name),
                                             "a type with encrypted values in it",
                                             "write the values one by one",
                                             begin
                                         ))
                                       : Judgement();
}

bool Relations::may_have_type(const catalog::RelationName& name) {
    const catalog::Entry* const entry = asked_for(name);
    return entry == nullptr || entry->held_rows.has_value();
}

}  // namespace pgveil::analysis
