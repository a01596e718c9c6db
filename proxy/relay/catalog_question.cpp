#include "proxy/relay/catalog_question.hpp"

#include "proxy/relay/preparation.hpp"
#include "sql/catalog/lookup.hpp"

#include <algorithm>

namespace pgveil::relay {

namespace {

/// The last quarter of limits.catalog_ttl_ms, in which sessions look again one after the other.
constexpr std::int64_t kSpreadPart = 4;

/// What another session was told may be half as old as what one was told itself.
constexpr std::int64_t kSharedPart = 2;

/// Of so many names at most a session remembers what it was told.
constexpr std::size_t kToldMax = 256;

std::int64_t age_max_ms(const SessionState& state) {
    const std::int64_t ttl_ms = state.environment->limits.catalog_ttl_ms;
    return ttl_ms - ttl_ms * state.catalog_turn / (1000 * kSpreadPart);
}

SharedCatalog::Scope scope_of(const SessionState& state) {
    return {state.facts.database, state.policy->epoch(), state.definitions_seen};
}

/// Whoever has made definitions in an open transaction sees what others do not.
bool may_share(const SessionState& state, const std::vector<catalog::RelationName>& names) {
    return state.environment->limits.catalog_ttl_ms > 0 && !state.catalog_uncertain &&
           std::all_of(names.begin(), names.end(), [](const catalog::RelationName& name) {
               return name.kind == catalog::RelationName::Kind::kRelation;
           });
}

/// A session that is new to a name asks itself.
bool knew(const SessionState& state, const std::vector<catalog::RelationName>& names) {
    return std::all_of(names.begin(), names.end(), [&state](const catalog::RelationName& name) {
        return state.told.contains(name);
    });
}

bool take_shared(
    SessionState& state, const std::vector<catalog::RelationName>& names, std::int64_t since_ms
) {
    const std::string viewpoint = std::exchange(state.viewpoint, {});
    const bool is_first = state.catalog.size() == 0;
    const auto asked_ms = state.environment->shared_catalog.take(
        scope_of(state), viewpoint, names, since_ms, state.told, state.catalog
    );
    if (asked_ms) {
        state.catalog_read_ms = is_first ? *asked_ms : std::min(state.catalog_read_ms, *asked_ms);
    }
    return asked_ms.has_value();
}

Injection::Answers answers_for(
    const SessionState& state, const std::vector<catalog::RelationName>& names
) {
    const SharedCatalog& shared = state.environment->shared_catalog;
    const bool is_intricate = std::any_of(names.begin(), names.end(), [&](const auto& name) {
        return shared.is_intricate(state.facts.database, name);
    });
    return is_intricate || !catalog::has_brief_lookup(names) ? Injection::Answers::kWhole
                                                             : Injection::Answers::kBrief;
}

void ask_server(SessionState& state, std::vector<catalog::RelationName> names, Outgoing& upstream) {
    const std::int64_t now_ms = state.environment->now_ms();
    if (state.catalog.size() == 0) {
        state.catalog_read_ms = now_ms;
    }
    // In a transaction the answer may be as old as its snapshot.
    state.asks_as_of_now = state.transaction == wire::TransactionStatus::kIdle &&
                           !state.batch_open && state.pending.empty();
    const Injection::Answers answers = answers_for(state, names);
    state.injection.look_up(
        upstream.made(),
        ending_for(state),
        {std::move(names), catalog::protected_parameter(*state.policy), answers}
    );
    expect_injection(state);
}

}  // namespace

void forget_stale_catalog(SessionState& state) {
    if (state.looked_up) {
        return;
    }
    const std::int64_t age_ms = state.environment->now_ms() - state.catalog_read_ms;
    const std::uint64_t definitions = state.environment->definitions->count();
    if (state.catalog_uncertain || age_ms > age_max_ms(state) ||
        definitions != state.definitions_seen) {
        state.catalog.clear();
    }
    state.definitions_seen = definitions;
    // Another session may have made it since, a view over a protected table as well.
    state.catalog.erase_absent();
}

bool ask_catalog(
    SessionState& state, std::vector<catalog::RelationName> names, Outgoing& upstream
) {
    if (may_share(state, names)) {
        const SharedCatalog& shared = state.environment->shared_catalog;
        const std::int64_t now_ms = state.environment->now_ms();
        const std::int64_t since_ms =
            now_ms - state.environment->limits.catalog_ttl_ms / kSharedPart;
        if (!state.viewpoint.empty()) {
            if (take_shared(state, names, since_ms)) {
                return true;
            }
        } else if (knew(state, names) && shared.has(scope_of(state), names, since_ms)) {
            state.looked_up = true;
            state.injection.ask_viewpoint(upstream.made(), ending_for(state));
            expect_injection(state);
            return false;
        }
    }
    state.looked_up = true;
    ask_server(state, std::move(names), upstream);
    return false;
}

void share_catalog(
    SessionState& state,
    const std::string& viewpoint,
    const std::vector<catalog::RelationName>& names
) {
    if (viewpoint.empty() || !may_share(state, names)) {
        return;
    }
    if (state.told.size() + names.size() > kToldMax) {
        state.told.clear();
    }
    for (const catalog::RelationName& name : names) {
        state.told.insert_or_assign(name, state.catalog.share(name));
        if (state.asks_as_of_now) {
            state.environment->shared_catalog.put(
                scope_of(state), viewpoint, name, state.catalog.share(name), state.catalog_read_ms
            );
        }
    }
}

}  // namespace pgveil::relay
