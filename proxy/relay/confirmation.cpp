#include "proxy/relay/confirmation.hpp"

#include "sql/analysis/named_plans.hpp"
#include "sql/analysis/standing.hpp"

#include <algorithm>

namespace pgveil::relay {

namespace {

/// Without what depends on search_path alone, and on spelling.
catalog::Entry lasting(catalog::Entry entry) {
    entry.creation_schema.clear();
    if (entry.relation) {
        for (catalog::Column& column : entry.relation->columns) {
            column.type_name.clear();
        }
        if (!entry.relation->query_hash.empty()) {
            entry.relation->view_text.clear();
        }
    }
    if (entry.enum_type) {
        entry.enum_type->shown_name.clear();
    }
    return entry;
}

bool is_same(const Grounds::Fact& fact, const catalog::Catalog& catalog) {
    const auto now = catalog.share(fact.name);
    return now != nullptr && (now == fact.entry || lasting(*now) == lasting(*fact.entry));
}

bool may_be_decided_again(const analysis::StatementPlan& plan) {
    return !plan.call && plan.used_name.empty() && plan.copy == nullptr &&
           std::all_of(
               plan.splices.begin(),
               plan.splices.end(),
               [](const analysis::Splice& splice) {
                   return std::holds_alternative<analysis::FixedText>(splice.replacement);
               }
           );
}

std::vector<catalog::RelationName> names_of(const Grounds& grounds) {
    std::vector<catalog::RelationName> names;
    for (const Grounds::Fact& fact : grounds.facts) {
        names.push_back(fact.name);
    }
    return names;
}

Preparation changed() {
    return Preparation::refused(refusal(Reason::kChangedNames, ""));
}

/// A relation that was there is gone: PostgreSQL's own error.
std::optional<Refusal> absent_of(const Grounds& grounds, const catalog::Catalog& catalog) {
    for (const Grounds::Fact& fact : grounds.facts) {
        const catalog::Entry* const now = catalog.find(fact.name);
        if (fact.entry->relation && now != nullptr && !now->relation) {
            Refusal absent;
            absent.sqlstate = "42P01";
            absent.message = "relation \"" + fact.name.schema +
                             (fact.name.schema.empty() ? "" : ".") + fact.name.name +
                             "\" does not exist";
            return absent;
        }
    }
    return std::nullopt;
}

/// Still about nothing protected: as it left byte by byte, the server may read it as it likes.
Preparation confirm_plain(SessionState& state, const Grounds& grounds, Outgoing& upstream) {
    analysis::StandingOfAll found =
        analysis::standing_of(names_of(grounds), context_of(state, grounds.parameter_oids));
    if (!found.missing.empty()) {
        Preparation known = prepare_catalog(state, std::move(found.missing), upstream);
        return known.readiness == Readiness::kReady ? confirm_plain(state, grounds, upstream)
                                                    : known;
    }
    return found.are_plain ? Preparation{} : changed();
}

Preparation confirm_decision(SessionState& state, const Grounds& grounds, Outgoing& upstream) {
    const AnalysisPtr now = analysis_of(state, grounds.text, grounds.parameter_oids, upstream);
    if (now == nullptr) {
        return Preparation::waiting();
    }
    const auto* const plan = now->statements.size() == 1
                                 ? std::get_if<analysis::StatementPlan>(&now->statements.front())
                                 : nullptr;
    const auto& then = std::get<analysis::StatementPlan>(grounds.analysis->statements.front());
    return plan != nullptr && analysis::leaves_alike(*plan, then) ? Preparation{} : changed();
}

}  // namespace

std::size_t Grounds::size_bytes() const {
    std::size_t size = sizeof(*this) + text.size() + parameter_oids.size() * sizeof(std::uint32_t);
    for (const Fact& fact : facts) {
        size += sizeof(fact) + fact.name.schema.size() + fact.name.name.size() +
                catalog::size_bytes_of(*fact.entry);
    }
    return size + (analysis == nullptr ? 0 : analysis::size_bytes_of(*analysis));
}

GroundsPtr grounds_of(
    const SessionState& state,
    const AnalysisPtr& analysis,
    std::string_view text,
    const std::vector<std::uint32_t>& parameter_oids
) {
    if (analysis->relations.empty()) {
        return nullptr;
    }
    auto grounds = std::make_shared<Grounds>();
    for (const catalog::RelationName& name : analysis->relations) {
        // Without an entry it is what the text itself defines.
        if (auto entry = state.catalog.share(name)) {
            grounds->facts.push_back({name, std::move(entry)});
        }
    }
    grounds->is_plain = analysis->passthrough;
    grounds->parameter_oids = parameter_oids;
    const auto* const plan = analysis->statements.size() == 1
                                 ? std::get_if<analysis::StatementPlan>(&analysis->statements[0])
                                 : nullptr;
    if (!grounds->is_plain && plan != nullptr && may_be_decided_again(*plan)) {
        grounds->text = text;
        grounds->analysis = analysis;
    }
    return grounds;
}

Preparation confirm(SessionState& state, const Grounds* grounds, Outgoing& upstream) {
    if (grounds == nullptr) {
        return {};
    }
    if (state.pending.settings_in_flight()) {
        wait_for_replies(state, upstream);
        return Preparation::waiting();
    }
    Preparation known = prepare_catalog(state, names_of(*grounds), upstream);
    if (known.readiness != Readiness::kReady) {
        return known;
    }
    if (std::all_of(grounds->facts.begin(), grounds->facts.end(), [&](const Grounds::Fact& fact) {
            return is_same(fact, state.catalog);
        })) {
        return {};
    }
    if (grounds->is_plain) {
        return confirm_plain(state, *grounds, upstream);
    }
    if (auto absent = absent_of(*grounds, state.catalog)) {
        return Preparation::refused(std::move(*absent));
    }
    return grounds->text.empty() ? changed() : confirm_decision(state, *grounds, upstream);
}

Preparation confirm_used(
    SessionState& state, const analysis::StatementPlan& plan, Outgoing& upstream
) {
    if (!analysis::runs_prepared(plan)) {
        return {};
    }
    const auto found = state.statements.find(plan.used_name);
    return found == state.statements.end() ? Preparation{}
                                           : confirm(state, found->second->grounds.get(), upstream);
}

}  // namespace pgveil::relay
