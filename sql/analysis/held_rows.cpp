#include "sql/analysis/relations.hpp"

#include <string>

// Types with rows of protected tables in them.
namespace pgveil::analysis {

namespace {

std::string display(const std::string& schema, const std::string& name) {
    return schema.empty() ? name : schema + "." + name;
}

Judgement rejected(Rejection rejection) {
    return Judgement{Standing::kRejected, nullptr, std::move(rejection)};
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
