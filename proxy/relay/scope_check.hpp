#pragma once

#include "keyshare/share/token_scope.hpp"
#include "proxy/relay/preparation.hpp"
#include "proxy/relay/refusal.hpp"
#include "proxy/relay/session_state.hpp"
#include "sql/analysis/plan.hpp"

#include <optional>
#include <string_view>

// What a session may do whose token is restricted (docs/SECURITY.md, "Scoped tokens"). Decided for
// every statement by the token then in force: nothing of it is kept with a plan.
namespace pgveil::relay {

/// Why the plan goes beyond the scope of this user's token: 42501. Nothing, if it does not.
std::optional<Refusal> beyond_scope(
    const share::TokenScope& scope, std::string_view user_id, const analysis::StatementPlan& plan
);

/// The same for the token of these keys.
std::optional<Refusal> beyond_scope(
    const share::RequestKeys& keys, const analysis::StatementPlan& plan
);

/// Why the plan may not be carried out with these keys: they lack a key group (missing_group), or
/// it goes beyond the scope of their token.
std::optional<Refusal> not_for(const share::RequestKeys& keys, const analysis::StatementPlan& plan);

/// The open segment has keys: the session knows their scope from now on.
void note_restriction(SessionState& state);

/// The same for a statement that needs no keys. One that names a protected table has the scope of
/// the token in force looked at; any other is judged by it only when the session knows it already.
Preparation prepare_scope(
    SessionState& state, const analysis::StatementPlan& plan, Outgoing& upstream
);

/// The same for a name that may stand for any statement: it may write.
std::optional<Refusal> unknown_beyond_scope(const SessionState& state);

/// The same for a text that could not be read: a server with a newer grammar may.
std::optional<Refusal> unread_beyond_scope(const SessionState& state);

/// Counts a statement that uses the keys of the open segment and goes upstream now. Refused: 28000,
/// the token is spent.
std::optional<Refusal> count_statement(SessionState& state);

}  // namespace pgveil::relay
