#pragma once

#include "proxy/relay/outgoing.hpp"
#include "proxy/relay/session_state.hpp"
#include "sql/analysis/analyzer.hpp"

#include <optional>
#include <string_view>
#include <vector>

// What must be known or done before a client's message can go upstream. Each of these either has
// what it needs, or starts an injection (or a wait) and sets state.wait; then the same message is
// presented again later.
namespace pgveil::relay {

/// The decisions for a text; null: state.wait is set.
AnalysisPtr analysis_of(
    SessionState& state,
    std::string_view text,
    const std::vector<std::uint32_t>& parameter_oids,
    Outgoing& upstream
);

enum class Readiness {
    kReady,
    kWaiting,  ///< state.wait is set
    kRefused,  ///< `refusal` says why
};

struct Preparation {
    Readiness readiness = Readiness::kReady;
    Refusal refusal;

    static Preparation waiting() { return {Readiness::kWaiting, {}}; }

    static Preparation refused(Refusal refusal) {
        return {Readiness::kRefused, std::move(refusal)};
    }
};

/// What the session's decisions depend on. Borrows the state; without the session's own names.
analysis::Context context_of(
    const SessionState& state, const std::vector<std::uint32_t>& parameter_oids
);

/// How a query of the proxy's own ends that is sent now.
Ending ending_for(const SessionState& state);

/// Awaits the replies that state.injection brings, in order.
void expect_injection(SessionState& state);

/// Asks the server for those of the names that are not known well enough any more.
Preparation prepare_catalog(
    SessionState& state, std::vector<catalog::RelationName> names, Outgoing& upstream
);

/// Asks before a batch begins what would be asked within it else. To PostgreSQL 18 a batch of two
/// statements is a transaction block.
Preparation prepare_batch(SessionState& state, Outgoing& upstream);

/// The keys of the open segment, for a statement that needs them.
Preparation prepare_keys(SessionState& state, Outgoing& upstream);

/// The same for one plan: refused where it needs a key group that the shares do not cover.
Preparation prepare_keys(
    SessionState& state, const analysis::StatementPlan& plan, Outgoing& upstream
);

/// Asks the server which handles are in force.
void read_back(SessionState& state, Outgoing& upstream);

/// The server may name a user whose shares are not in force any more. True: it is being asked or
/// told; present the message again.
bool revoke_verified_user(SessionState& state, Outgoing& upstream);

/// Between two transactions, where many values of session parameters are held: superseded ones are
/// wiped, which the server is asked for. True: present the message again.
bool wipe_superseded(SessionState& state, Outgoing& upstream);

/// Room for one more value of a session parameter: superseded ones are wiped first.
Preparation prepare_room(SessionState& state, Outgoing& upstream);

/// A value of a session parameter is set by the text or by its parameters.
bool sets_handle(const analysis::StatementPlan& plan);

/// Nothing is written and no transaction ends.
bool is_read_only(const analysis::StatementPlan& plan);

/// Schema pgveil and its domain, for translated DDL.
Preparation prepare_ciphertext_type(SessionState& state, Outgoing& upstream);

/// Waits until every reply outstanding has come (a Flush makes the server send them).
void wait_for_replies(SessionState& state, Outgoing& upstream);

/// Notes what a statement that goes upstream now may change: catalog, settings, parameters.
void note_effects(SessionState& state, const analysis::StatementPlan& plan, Expected& expected);

/// The same for a text that nobody could read: it may change anything.
void note_unread(SessionState& state, Expected& expected);

}  // namespace pgveil::relay
