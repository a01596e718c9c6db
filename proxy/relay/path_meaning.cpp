#include "proxy/relay/path_meaning.hpp"

#include "sql/analysis/named_plans.hpp"

#include <optional>
#include <utility>

namespace pgveil::relay {

namespace {

std::vector<catalog::RelationName> names_of(const PathMeaning& meaning) {
    std::vector<catalog::RelationName> names;
    for (const analysis::PathName& item : *meaning.names) {
        names.push_back({std::string(), item.name});
    }
    return names;
}

/// Why the names mean something else now.
std::optional<Refusal> other_meaning(
    const catalog::Catalog& catalog, const PathMeaning& meaning, std::string_view statement
) {
    for (const analysis::PathName& item : *meaning.names) {
        const auto& relation = catalog.find({std::string(), item.name})->relation;
        if (!relation && !item.schema.empty()) {
            Refusal absent;
            absent.sqlstate = "42P01";
            absent.message = "relation \"" + item.name + "\" does not exist";
            return absent;
        }
        if (relation && relation->schema != item.schema) {
            return refusal(Reason::kOtherPath, statement);
        }
    }
    return std::nullopt;
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
    } else if (auto other = other_meaning(state.catalog, meaning, statement)) {
        result.readiness = Readiness::kRefused;
        result.refusal = std::move(*other);
    } else {
        meaning.epoch = state.path_epoch;
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
