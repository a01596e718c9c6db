#include "proxy/relay/path_meaning.hpp"

#include "sql/analysis/named_plans.hpp"

#include <algorithm>

namespace pgveil::relay {

namespace {

std::vector<catalog::RelationName> names_of(const PathMeaning& meaning) {
    std::vector<catalog::RelationName> names;
    for (const analysis::PathName& item : *meaning.names) {
        names.push_back({std::string(), item.name});
    }
    return names;
}

bool means_the_same(const catalog::Catalog& catalog, const PathMeaning& meaning) {
    return std::all_of(
        meaning.names->begin(),
        meaning.names->end(),
        [&catalog](const analysis::PathName& item) {
            const auto& relation = catalog.find({std::string(), item.name})->relation;
            return item.schema == (relation ? relation->schema : std::string());
        }
    );
}

}  // namespace

Preparation prepare_meaning(
    SessionState& state, PathMeaning& meaning, std::string_view statement, Outgoing& upstream
) {
    const bool is_settled = meaning.epoch == state.path_epoch && !state.catalog_uncertain;
    if (meaning.names == nullptr || is_settled) {
        return {};
    }
    Preparation result;
    if (!know_names(state, names_of(meaning), upstream)) {
        result.readiness = Readiness::kWaiting;
    } else if (means_the_same(state.catalog, meaning)) {
        meaning.epoch = state.path_epoch;
    } else {
        result.readiness = Readiness::kRefused;
        result.refusal = refusal(Reason::kOtherPath, statement);
    }
    return result;
}

Preparation prepare_used_name(
    SessionState& state, const analysis::StatementPlan& plan, Outgoing& upstream
) {
    const auto used = analysis::runs_prepared(plan) ? state.statements.find(plan.used_name)
                                                    : state.statements.end();
    return used == state.statements.end()
               ? Preparation()
               : prepare_meaning(state, *used->second->meaning, used->first, upstream);
}

}  // namespace pgveil::relay
