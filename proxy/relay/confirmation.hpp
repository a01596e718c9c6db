#pragma once

#include "proxy/relay/grounds.hpp"
#include "proxy/relay/outgoing.hpp"
#include "proxy/relay/preparation.hpp"
#include "proxy/relay/session_state.hpp"

#include <string_view>
#include <vector>

// Whether a prepared statement still means what it meant when it was prepared.
namespace pgveil::relay {

/// What `analysis`, decided for the message now at hand, rests on. Null: on no name.
GroundsPtr grounds_of(
    const SessionState& state,
    const AnalysisPtr& analysis,
    std::string_view text,
    const std::vector<std::uint32_t>& parameter_oids
);

/// The statement may run: its names mean the same, or it would be decided in the same way again.
/// Else refused as PostgreSQL refuses a plan whose result has changed, so that drivers which
/// prepare such a statement again do so.
Preparation confirm(SessionState& state, const Grounds* grounds, Outgoing& upstream);

/// The same for the prepared statement that `plan` runs by name (EXECUTE, and EXPLAIN and CREATE
/// TABLE AS of one).
Preparation confirm_used(
    SessionState& state, const analysis::StatementPlan& plan, Outgoing& upstream
);

}  // namespace pgveil::relay
