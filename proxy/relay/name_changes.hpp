#pragma once

#include "proxy/relay/session_state.hpp"
#include "sql/analysis/named_plans.hpp"

#include <optional>
#include <string_view>

// Names that SQL gives (PREPARE, DECLARE) and takes (DEALLOCATE, CLOSE, DISCARD), in the same
// registries as those of the protocol. The registries follow what the server says it has done, not
// its transactions: a cursor that a rollback took away is still known here, and the server answers
// 34000. No plan can come to stand for another statement's name this way.
namespace pgveil::relay {

/// The session's names as analysis asks for them. Borrows the state.
class SessionNames final : public analysis::NamedPlans {
public:
    explicit SessionNames(const SessionState& state) : state_(&state) {}

    analysis::PlanPtr prepared(const std::string& name) const override;
    analysis::PlanPtr portal(const std::string& name) const override;
    bool knows_all_prepared() const override;

private:
    const SessionState* state_;
};

/// Where a statement that goes upstream stands, and what was known when it was decided.
struct SentStatement {
    std::size_t index = 0;  ///< which of its message
    GroundsPtr grounds;     ///< of its text
};

/// The statement goes upstream: its success will change these names.
void note_name_change(
    SessionState& state,
    const analysis::StatementPlan& plan,
    const SentStatement& sent,
    Expected& expected
);

/// The current statement of `expected` has succeeded with this command tag.
void apply_name_changes(SessionState& state, std::string_view tag, const Expected& expected);

/// A prepared FETCH with the columns that its cursor has now.
Planned with_current_cursor(const SessionState& state, const Planned& planned);

/// Why a statement may not run that was decided just now: DO and CALL beside protected statements,
/// a statement prepared under another policy, too many names. `defined`: names that the same
/// message defines before it.
std::optional<Refusal> check_names(
    const SessionState& state, const analysis::StatementPlan& plan, std::size_t defined
);

/// The same for a statement decided earlier: the name it uses may stand for another one by now.
std::optional<Refusal> check_prepared_names(
    const SessionState& state, const analysis::StatementPlan& plan
);

/// A text that nobody could read may give a protected statement's name to another one.
std::optional<Refusal> check_unread(const SessionState& state, std::string_view text);

}  // namespace pgveil::relay
