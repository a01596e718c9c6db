#include "proxy/relay/audit.hpp"

#include "proxy/relay/key_source.hpp"
#include "proxy/relay/slow_statements.hpp"
#include "proxy/wire/error_response.hpp"
#include "proxy/wire/frontend.hpp"
#include "sql/analysis/copy_plan.hpp"
#include "sql/parse/placeholders.hpp"

#include <array>
#include <utility>

namespace pgveil::relay {

namespace {

using analysis::StatementPlan;
using analysis::VeilCall;
using wire::FrontendType;

void add_columns(const std::vector<analysis::ResultColumn>& columns, AuditedStatement& audited) {
    for (const analysis::ResultColumn& each : columns) {
        if (each.column != nullptr) {
            audited.add_column(each.column->qualified_name());
        }
    }
}

void add_columns(const StatementPlan& plan, AuditedStatement& audited) {
    for (const analysis::ColumnPtr& column : plan.columns) {
        audited.add_column(column->qualified_name());
    }
    add_columns(plan.results, audited);
    for (const analysis::ParameterPlan& parameter : plan.parameters) {
        if (parameter.column != nullptr) {
            audited.add_column(parameter.column->qualified_name());
        }
    }
    if (plan.copy != nullptr) {
        add_columns(plan.copy->columns, audited);
    }
    if (plan.used != nullptr) {
        add_columns(*plan.used, audited);
    }
}

std::string_view name_of(VeilCall::Function function) {
    switch (function) {
        case VeilCall::Function::kAddUser: return "add_user";
        case VeilCall::Function::kChangeKey: return "change_key";
        case VeilCall::Function::kWithdrawUser: return "withdraw_user";
        case VeilCall::Function::kApply: return "apply";
        case VeilCall::Function::kChallenge: return "challenge";
        case VeilCall::Function::kTokenKey: break;
    }
    return "token_key";
}

audit::Record begun(const SessionState& state, const Segment* segment) {
    audit::Record record;
    record.session = state.facts.id;
    record.role = state.facts.login;
    record.database = state.facts.database;
    record.application = state.application;
    if (segment != nullptr && segment->keys) {
        record.user = segment->keys->user_id();
    } else {
        record.claimed = claimed_user(state);
    }
    return record;
}

/// Of the message at hand, with placeholders; null: it has none, or it is not known.
std::shared_ptr<const std::string> text_at_hand(const SessionState& state) {
    const wire::Frame& frame = *state.at_hand;
    const FrontendType type = wire::frontend_type(frame.type);
    if (type == FrontendType::kParse) {
        const auto parse = wire::decode_parse(frame.body);
        return parse.has_value() ? shown_text(state, parse->text) : nullptr;
    }
    if (type == FrontendType::kBind) {
        const auto bind = wire::decode_bind_head(frame.body);
        const auto found = bind.has_value() ? state.statements.find(kept_name(bind->statement))
                                            : state.statements.end();
        return found == state.statements.end() ? nullptr : found->second->shown;
    }
    const bool runs = type == FrontendType::kQuery || type == FrontendType::kExecute;
    return runs ? text_of(state, frame) : nullptr;
}

bool carries_copy_data(const SessionState& state) {
    const FrontendType type = wire::frontend_type(state.at_hand->type);
    return type == FrontendType::kCopyData || type == FrontendType::kCopyDone ||
           type == FrontendType::kCopyFail;
}

}  // namespace

void audit_sent(SessionState& state, const StatementPlan& plan, Expected& expected) {
    const bool is_concerned =
        plan.touches_protected || plan.call || (plan.used && plan.used->touches_protected);
    if (!state.environment->on_audit || !is_concerned) {
        return;
    }
    if (expected.audited == nullptr) {
        audit::Record record = begun(state, expected.segment.get());
        record.event = plan.call ? "call" : "statement";
        record.what = plan.call ? name_of(plan.call->function) : "";
        expected.audited =
            std::make_unique<AuditedStatement>(state.environment->on_audit, std::move(record));
    }
    add_columns(plan, *expected.audited);
}

void name_audited(SessionState& state, const wire::Frame& frame) {
    const FrontendType type = wire::frontend_type(frame.type);
    const Awaited kind = type == FrontendType::kQuery ? Awaited::kQuery : Awaited::kExecute;
    const Expected* const expected = state.pending.back();
    if (expected != nullptr && expected->audited != nullptr && expected->kind == kind &&
        (type == FrontendType::kQuery || type == FrontendType::kExecute)) {
        expected->audited->name(text_of(state, frame));
    }
}

void audit_refusal(SessionState& state, std::string_view sqlstate) {
    const Expected* const expected = state.pending.front();
    const bool is_late = state.at_hand == nullptr || carries_copy_data(state);
    if (is_late && expected != nullptr && expected->audited != nullptr) {
        return expected->audited->failed(sqlstate);
    }
    audit::Record record = begun(state, state.segment.get());
    record.event = "refused";
    record.result = sqlstate;
    const auto text = is_late ? nullptr : text_at_hand(state);
    if (text != nullptr) {
        record.statement = audit::fingerprint_of(parse::without_quoted_names(*text));
    }
    state.environment->on_audit(std::move(record));
}

void fail_audited(const Expected& expected, const wire::Frame& error) {
    if (expected.audited == nullptr) {
        return;
    }
    const auto decoded = wire::decode_error_response(error.body);
    const auto sqlstate = decoded.has_value() ? decoded->find('C') : std::nullopt;
    expected.audited->failed(
        expected.refusal ? std::string_view(expected.refusal->sqlstate) : sqlstate.value_or("XX000")
    );
}

void end_audited(const Expected& expected) {
    if (expected.audited != nullptr) {
        expected.audited->end();
    }
}

std::optional<Refusal> check_audit(const SessionState& state) {
    if (!state.environment->audit_is_ready || state.environment->audit_is_ready()) {
        return std::nullopt;
    }
    Refusal refusal;
    refusal.sqlstate = "58030";
    refusal.message = "the proxy cannot write its audit log now";
    refusal.hint =
        "Its operator finds the reason in the proxy's log and in SHOW AUDIT; "
        "\"audit.on_failure\" decides about such statements.";
    return refusal;
}

}  // namespace pgveil::relay
