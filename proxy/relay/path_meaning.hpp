#pragma once

#include "proxy/relay/preparation.hpp"

#include <string_view>

// The server resolves the names of a prepared statement anew as soon as search_path is another one,
// or a relation comes before it in the path. It would so take values to another table, or show
// those of one.
namespace pgveil::relay {

/// Whether the names of prepared `statement` still mean what they meant when it was prepared.
Preparation prepare_meaning(
    SessionState& state, PathMeaning& meaning, std::string_view statement, Outgoing& upstream
);

/// The same for the statement that `plan` executes, if it does.
Preparation prepare_used_name(
    SessionState& state, const analysis::StatementPlan& plan, Outgoing& upstream
);

}  // namespace pgveil::relay
