#include "proxy/relay/simple_query.hpp"

#include "proxy/relay/audit.hpp"
#include "proxy/relay/batched_query.hpp"
#include "proxy/relay/confirmation.hpp"
#include "proxy/relay/measures.hpp"
#include "proxy/relay/name_changes.hpp"
#include "proxy/relay/preparation.hpp"
#include "proxy/relay/scope_check.hpp"
#include "proxy/relay/sealer.hpp"
#include "proxy/relay/veil_call.hpp"
#include "proxy/wire/frontend.hpp"

#include <algorithm>

namespace pgveil::relay {

namespace {

using analysis::Analysis;
using analysis::Decision;
using analysis::StatementPlan;

/// The server drops its unnamed statement and portal with every Query.
void forget_unnamed(SessionState& state) {
    state.statements.erase("");
    state.portals.erase("");
}

Expected expect_query(SessionState& state) {
    forget_unnamed(state);
    Expected expected;
    expected.kind = Awaited::kQuery;
    expected.segment = std::exchange(state.segment, nullptr);
    state.batch_open = false;
    return expected;
}

/// The first `end` statements go upstream.
void note_statements(
    SessionState& state,
    const AnalysisPtr& analysis,
    std::string_view text,
    std::size_t end,
    Expected& expected
) {
    const auto plan_at = [&analysis](std::size_t index) -> const StatementPlan& {
        return std::get<StatementPlan>(analysis->statements[index]);
    };
    SentStatement sent;
    for (std::size_t index = 0; index < end && sent.grounds == nullptr; ++index) {
        sent.grounds =
            plan_at(index).defined == nullptr ? nullptr : grounds_of(state, analysis, text, {});
    }
    for (; sent.index < end; ++sent.index) {
        note_effects(state, plan_at(sent.index), expected);
        count_sent(state, plan_at(sent.index).touches_protected);
        audit_sent(state, plan_at(sent.index), expected);
        note_name_change(state, plan_at(sent.index), sent, expected);
    }
}

void pass_query(
    SessionState& state,
    const AnalysisPtr& analysis,
    std::string_view text,
    const wire::Frame& frame,
    Outgoing& upstream
) {
    Expected expected = expect_query(state);
    note_statements(state, analysis, text, analysis->statements.size(), expected);
    if (analysis->parse_failed) {
        note_unread(state, expected);
        count_sent(state, false);
        state.names_are_uncertain = true;
    }
    state.pending.push(std::move(expected));
    upstream.pass(frame.bytes);
}

/// The first statement that is not sent, with the reason.
struct FirstRefused {
    std::size_t index = 0;
    std::uint32_t begin = 0;
    Refusal refusal;
};

std::uint32_t begin_of(const Analysis& analysis, std::size_t index) {
    if (const auto* const plan = std::get_if<StatementPlan>(&analysis.statements[index])) {
        return plan->begin;
    }
    if (index == 0) {
        return 0;
    }
    // The statement before it was accepted, or this would not be the first refused one; its
    // semicolon stands right behind its end.
    return std::get<StatementPlan>(analysis.statements[index - 1]).end + 1;
}

std::optional<Refusal> why_not(
    const SessionState& state, const Decision& decision, std::string_view text, std::size_t& defined
) {
    if (const auto* const rejection = std::get_if<analysis::Rejection>(&decision)) {
        return refusal(*rejection, text);
    }
    const auto& plan = std::get<StatementPlan>(decision);
    if (auto concerned = check_names(state, plan, defined)) {
        return concerned;
    }
    defined += plan.defined == nullptr ? 0U : 1U;
    return plan.call ? check_call(state, *plan.call, nullptr) : std::nullopt;
}

std::optional<FirstRefused> first_refused(
    const SessionState& state, const Analysis& analysis, std::string_view text
) {
    std::size_t defined = 0;
    for (std::size_t index = 0; index < analysis.statements.size(); ++index) {
        if (auto refusal = why_not(state, analysis.statements[index], text, defined)) {
            return FirstRefused{index, begin_of(analysis, index), std::move(*refusal)};
        }
    }
    return std::nullopt;
}

/// The first statement among those to be sent that `wants` is true for.
template <class Wants>
std::optional<std::size_t> first_that(
    const Analysis& analysis, const std::optional<FirstRefused>& refused, Wants wants
) {
    const std::size_t end = refused ? refused->index : analysis.statements.size();
    for (std::size_t index = 0; index < end; ++index) {
        if (wants(std::get<StatementPlan>(analysis.statements[index]))) {
            return index;
        }
    }
    return std::nullopt;
}

/// Protected rows are still on their way, and something of this text may write or end the
/// transaction: a value that does not open must be known before that.
bool must_open_rows_first(const SessionState& state, const Analysis& analysis) {
    if (!state.pending.has_protected_rows()) {
        return false;
    }
    return analysis.parse_failed || std::any_of(
                                        analysis.statements.begin(),
                                        analysis.statements.end(),
                                        [](const Decision& decision) {
                                            const auto* const plan =
                                                std::get_if<StatementPlan>(&decision);
                                            return plan != nullptr && !is_read_only(*plan);
                                        }
                                    );
}

/// Each statement before the first refused one is made ready. False: wait. The first that is
/// refused becomes the first refused one.
template <class Prepare>
bool make_each_ready(
    const Analysis& analysis, std::optional<FirstRefused>& refused, const Prepare& prepare_one
) {
    const std::size_t end = refused ? refused->index : analysis.statements.size();
    for (std::size_t index = 0; index < end; ++index) {
        Preparation prepared = prepare_one(std::get<StatementPlan>(analysis.statements[index]));
        if (prepared.readiness == Readiness::kRefused) {
            refused = FirstRefused{index, begin_of(analysis, index), std::move(prepared.refusal)};
        }
        if (prepared.readiness != Readiness::kReady) {
            return prepared.readiness == Readiness::kRefused;
        }
    }
    return true;
}

/// The prepared statements that the text runs still mean what they meant.
bool confirm_prepared(
    SessionState& state,
    const Analysis& analysis,
    std::optional<FirstRefused>& refused,
    Outgoing& upstream
) {
    return make_each_ready(analysis, refused, [&](const StatementPlan& plan) {
        return confirm_used(state, plan, upstream);
    });
}

/// The first statement that the keys are not for is the first refused one. Where some statements
/// use keys, the scope holds for the others, too.
void refuse_without_right(
    SessionState& state, const Analysis& analysis, std::optional<FirstRefused>& refused
) {
    const auto needs_keys = [](const StatementPlan& plan) {
        return plan.needs_keys();
    };
    if (!first_that(analysis, refused, needs_keys)) {
        return;
    }
    const share::RequestKeys& keys = *state.open_segment().keys;
    const std::size_t end = refused ? refused->index : analysis.statements.size();
    for (std::size_t index = 0; index < end; ++index) {
        const auto& plan = std::get<StatementPlan>(analysis.statements[index]);
        if (auto wrong = plan.needs_keys() ? not_for(keys, plan) : beyond_scope(keys, plan)) {
            refused = FirstRefused{index, begin_of(analysis, index), std::move(*wrong)};
            return;
        }
    }
}

/// Statements without keys keep to the scope of the token, too.
bool keep_to_scope(
    SessionState& state,
    const Analysis& analysis,
    std::optional<FirstRefused>& refused,
    Outgoing& upstream
) {
    return make_each_ready(analysis, refused, [&](const StatementPlan& plan) {
        return prepare_scope(state, plan, upstream);
    });
}

/// Counts those that use keys, when nothing can make them wait any more. The first for which none
/// is left is the first refused one.
void count_statements(
    SessionState& state, const Analysis& analysis, std::optional<FirstRefused>& refused
) {
    const std::size_t end = refused ? refused->index : analysis.statements.size();
    for (std::size_t index = 0; index < end; ++index) {
        if (!std::get<StatementPlan>(analysis.statements[index]).needs_keys()) {
            continue;
        }
        if (auto spent = count_statement(state)) {
            refused = FirstRefused{index, begin_of(analysis, index), std::move(*spent)};
            return;
        }
    }
}

/// Keys and schema pgveil. False: wait. What is refused becomes the first refused statement.
bool prepare(
    SessionState& state,
    const Analysis& analysis,
    std::optional<FirstRefused>& refused,
    Outgoing& upstream
) {
    const auto apply = [&](std::optional<std::size_t> index, auto step) {
        if (!index) {
            return true;
        }
        Preparation preparation = step(state, upstream);
        if (preparation.readiness == Readiness::kRefused) {
            refused =
                FirstRefused{*index, begin_of(analysis, *index), std::move(preparation.refusal)};
        }
        return preparation.readiness != Readiness::kWaiting;
    };
    const auto needs_keys = [](const StatementPlan& plan) {
        return plan.needs_keys();
    };
    const auto needs_type = [](const StatementPlan& plan) {
        return plan.needs_ciphertext_type;
    };
    const auto keys_of_segment = [](SessionState& asked, Outgoing& out) {
        return prepare_keys(asked, out);
    };
    const bool is_ready = apply(first_that(analysis, refused, sets_handle), prepare_room) &&
                          apply(first_that(analysis, refused, needs_keys), keys_of_segment);
    if (!is_ready) {
        return false;
    }
    refuse_without_right(state, analysis, refused);
    return apply(first_that(analysis, refused, needs_type), prepare_ciphertext_type);
}

/// @param is_batched ours come in binary
std::shared_ptr<const Portal> portal_of(
    const AnalysisPtr& analysis, std::size_t index, bool is_batched
) {
    Planned planned(analysis, index);
    if (!planned.changes_rows()) {
        return nullptr;
    }
    auto portal = std::make_shared<Portal>();
    portal->planned = planned.kept();
    portal->is_simple = !is_batched;
    portal->is_batched = is_batched;
    if (planned.plan()->is_binary) {
        portal->formats = {1};  // what a FETCH from a BINARY cursor brings
    }
    return portal;
}

void send_rewritten(
    SessionState& state,
    const AnalysisPtr& analysis,
    std::string_view text,
    const std::optional<FirstRefused>& refused,
    SealedText sealed,
    Outgoing& upstream
) {
    const bool is_batched = !refused && leaves_as_batch(state, *analysis);
    Expected expected = expect_query(state);
    const std::size_t end = refused ? refused->index : analysis->statements.size();
    note_statements(state, analysis, text, end, expected);
    for (std::size_t index = 0; index < end; ++index) {
        expected.portals.push_back(portal_of(analysis, index, is_batched));
    }
    expected.charge = state.plan_bytes.charge(
        analysis::size_bytes_of(*analysis) + end * (sizeof(Portal) + sizeof(ResultGuard))
    );
    if (refused) {
        expected.refusal = refused->refusal;
    }
    expected.positions = std::move(sealed.positions);
    if (is_batched) {
        expected.batch.emplace();
        append_batch(
            upstream.made(), sealed.text, std::get<StatementPlan>(analysis->statements.front())
        );
    } else {
        wire::append_query(upstream.made(), sealed.text);
    }
    state.pending.push(std::move(expected));
}

}  // namespace

void refuse_query(SessionState& state, Refusal refusal, Outgoing& upstream) {
    Expected expected = expect_query(state);
    wire::append_query(upstream.made(), state.marker_for(refusal));
    expected.refusal = std::move(refusal);
    state.pending.push(std::move(expected));
}

bool on_query(SessionState& state, const wire::Frame& frame, Outgoing& upstream) {
    const auto query = wire::decode_query(frame.body);
    if (!query.has_value()) {
        state.violation = "invalid Query message";
        return true;
    }
    if (auto failure = state.injection.take_failure()) {
        refuse_query(state, std::move(*failure), upstream);
        return true;
    }
    const AnalysisPtr analysis = analysis_of(state, query->text, {}, upstream);
    if (analysis == nullptr) {
        return false;
    }
    auto refused = first_refused(state, *analysis, query->text);
    auto unread = analysis->parse_failed ? check_unread(state, query->text) : std::nullopt;
    unread = analysis->parse_failed && !unread ? unread_beyond_scope(state) : std::move(unread);
    if (unread) {
        refuse_query(state, std::move(*unread), upstream);
        return true;
    }
    if (must_open_rows_first(state, *analysis)) {
        wait_for_replies(state, upstream);
        return false;
    }
    if (!confirm_prepared(state, *analysis, refused, upstream) ||
        !keep_to_scope(state, *analysis, refused, upstream)) {
        return false;
    }
    if (analysis->passthrough && !refused) {
        pass_query(state, analysis, query->text, frame, upstream);
        return true;
    }
    if (!prepare(state, *analysis, refused, upstream)) {
        return false;
    }
    count_statements(state, *analysis, refused);
    std::optional<RefusedStatement> stop;
    if (refused) {
        stop = RefusedStatement{refused->begin, state.marker_for(refused->refusal)};
    }
    state.open_segment();
    auto sealed = seal_text(state, query->text, *analysis, stop);
    if (!sealed.has_value()) {
        refuse_query(state, sealed.error(), upstream);
        return true;
    }
    send_rewritten(state, analysis, query->text, refused, std::move(*sealed), upstream);
    return true;
}

}  // namespace pgveil::relay
