#include "proxy/relay/reply_path.hpp"

#include "proxy/relay/audit.hpp"
#include "proxy/relay/injected_answer.hpp"
#include "proxy/relay/measures.hpp"
#include "proxy/relay/name_changes.hpp"
#include "proxy/relay/opener.hpp"
#include "proxy/relay/server_error.hpp"
#include "proxy/relay/slow_statements.hpp"
#include "proxy/wire/frontend.hpp"

#include <string>

namespace pgveil::relay {

using wire::BackendType;

namespace {

bool is_acknowledged_by(Awaited kind, BackendType type) {
    if (type == BackendType::kParseComplete) {
        return kind == Awaited::kParse;
    }
    if (type == BackendType::kBindComplete) {
        return kind == Awaited::kBind;
    }
    return kind == Awaited::kClose;
}

bool is_describe(Awaited kind) {
    return kind == Awaited::kDescribePortal || kind == Awaited::kDescribeStatement;
}

/// Rows, COPY and the end of a statement answer nothing else.
bool runs_statement(Awaited kind) {
    return kind == Awaited::kQuery || kind == Awaited::kExecute;
}

/// What comes unasked, and what may follow a COPY that failed before it read anything.
bool leaves_syncs_open(BackendType type) {
    return type == BackendType::kErrorResponse || type == BackendType::kReadyForQuery ||
           type == BackendType::kNoticeResponse || type == BackendType::kNotificationResponse ||
           type == BackendType::kParameterStatus;
}

}  // namespace

bool ReplyPath::runs_statement_now() const {
    const Expected* const expected = state_->pending.front();
    return expected != nullptr && runs_statement(expected->kind);
}

void ReplyPath::on_message(const wire::Frame& frame, Outgoing& client, Outgoing& upstream) {
    const BackendType type = wire::backend_type(frame.type);
    if (!leaves_syncs_open(type)) {
        state_->pending.settle_syncs();
    }
    switch (type) {
        case BackendType::kParseComplete:
        case BackendType::kBindComplete:
        case BackendType::kCloseComplete: return on_simple_acknowledgement(frame, client);
        case BackendType::kParameterDescription: return on_parameter_description(frame, client);
        case BackendType::kRowDescription: return on_row_description(frame, client, upstream);
        case BackendType::kNoData: return on_no_data(frame, client);
        case BackendType::kDataRow: return on_data_row(frame, client, upstream);
        case BackendType::kCommandComplete:
        case BackendType::kEmptyQueryResponse:
        case BackendType::kPortalSuspended: return on_statement_end(frame, client);
        case BackendType::kErrorResponse: return on_error(frame, client);
        case BackendType::kReadyForQuery: return on_ready_for_query(frame, client, upstream);
        case BackendType::kCopyInResponse: return on_copy_in_response(frame, client, upstream);
        case BackendType::kCopyOutResponse: return on_copy_out_response(frame, client, upstream);
        case BackendType::kCopyData: return on_copy_data(frame, client, upstream);
        case BackendType::kParameterStatus: return on_parameter_status(frame, client);
        case BackendType::kNoticeResponse: return client.pass(frame.bytes);
        case BackendType::kNotificationResponse:
            release_end(client);
            return client.pass(frame.bytes);
        case BackendType::kCopyDone:
        case BackendType::kFunctionCallResponse: return show(frame, client);
        case BackendType::kUnknown:
        case BackendType::kAuthentication:
        case BackendType::kBackendKeyData:
        case BackendType::kCopyBothResponse:
        case BackendType::kNegotiateProtocolVersion: break;
    }
    violate("a message that does not belong here");
}

bool ReplyPath::must_be_whole(std::uint8_t type, std::size_t size) const {
    const BackendType kind = wire::backend_type(type);
    if (kind == BackendType::kCopyData) {
        return !runs_statement_now() || (state_->copied != nullptr && streams_to_client());
    }
    if (kind != BackendType::kDataRow) {
        return true;
    }
    const Expected* const expected = state_->pending.front();
    return !runs_statement_now() || expected->injected || expected->portal() != nullptr ||
           (expected->guard && expected->guard->looks_at_rows() && size <= ResultGuard::kRowBytesMax
           );
}

bool ReplyPath::streams_to_client() const {
    const Expected* const expected = state_->pending.front();
    return expected != nullptr && !expected->injected && !expected->silenced;
}

void ReplyPath::on_simple_acknowledgement(const wire::Frame& frame, Outgoing& client) {
    Expected* const expected = state_->pending.front();
    if (expected != nullptr && expected->batch) {
        const bool is_next = expected->batch->acknowledge(wire::backend_type(frame.type));
        return is_next ? void() : violate("an acknowledgement nobody asked for");
    }
    if (expected == nullptr ||
        !is_acknowledged_by(expected->kind, wire::backend_type(frame.type))) {
        return violate("an acknowledgement nobody asked for");
    }
    show(frame, client);
    pop();
}

void ReplyPath::on_parameter_description(const wire::Frame& frame, Outgoing& client) {
    const Expected* const expected = state_->pending.front();
    if (expected == nullptr || expected->kind != Awaited::kDescribeStatement) {
        return violate("ParameterDescription");
    }
    const Portal* const portal = expected->portal();
    if (portal == nullptr || portal->planned.plan()->parameters.empty() || expected->silenced) {
        return show(frame, client);
    }
    const auto described = wire::decode_parameter_description(frame.body);
    if (!described.has_value()) {
        return violate("ParameterDescription");
    }
    open_parameters(*described, *portal->planned.plan(), client.made());
}

void ReplyPath::on_row_description(const wire::Frame& frame, Outgoing& client, Outgoing& upstream) {
    Expected* const expected = state_->pending.front();
    const bool is_awaited =
        expected != nullptr && (expected->kind == Awaited::kQuery || is_describe(expected->kind));
    if (!is_awaited || !describe_unplanned(*state_, *expected, frame.body)) {
        return violate("RowDescription");
    }
    const Portal* const portal = expected->portal();
    if (portal == nullptr || !portal->planned.opens_rows() || expected->silenced) {
        show(frame, client);
    } else {
        const auto described = wire::decode_row_description(frame.body);
        if (!described.has_value()) {
            return violate("RowDescription");
        }
        const Outcome opened = open_description(*described, *portal, client.made());
        if (!opened.has_value()) {
            fail_late(opened.error(), client, upstream);
        }
    }
    if (is_describe(expected->kind)) {
        pop();
    }
}

void ReplyPath::on_no_data(const wire::Frame& frame, Outgoing& client) {
    const Expected* const expected = state_->pending.front();
    if (expected == nullptr || !is_describe(expected->kind)) {
        return violate("NoData");
    }
    show(frame, client);
    pop();
}

void ReplyPath::on_injected_row(const wire::Frame& frame) {
    const auto row = wire::decode_data_row(frame.body);
    if (!row.has_value()) {
        return violate("DataRow");
    }
    Injection::Row cells;
    for (const wire::Cell& cell : row->cells) {
        cells.push_back(
            cell ? std::optional<std::string>(wire::as_text(*cell)) : std::optional<std::string>()
        );
    }
    state_->injection.add_row(std::move(cells));
}

void ReplyPath::on_data_row(const wire::Frame& frame, Outgoing& client, Outgoing& upstream) {
    const Expected* const expected = state_->pending.front();
    if (!runs_statement_now()) {
        return violate("DataRow");
    }
    if (expected->injected) {
        return on_injected_row(frame);
    }
    if (expected->silenced || expected->portal() == nullptr) {
        const Outcome checked = check_unplanned(*state_, *expected, frame.body);
        return checked.has_value() || expected->silenced
                   ? show(frame, client)
                   : fail_late(checked.error(), client, upstream);
    }
    const auto row = wire::decode_data_row(frame.body);
    if (!row.has_value()) {
        return violate("DataRow");
    }
    const Outcome opened = answer_row(*state_, *row, *expected, client.made());
    if (!opened.has_value()) {
        fail_late(opened.error(), client, upstream);
    } else if (expected->audited != nullptr) {
        expected->audited->opened_row();
    }
}

void ReplyPath::on_statement_end(const wire::Frame& frame, Outgoing& client) {
    Expected* const expected = state_->pending.front();
    const BackendType type = wire::backend_type(frame.type);
    const bool may_come = type != BackendType::kPortalSuspended ||
                          (expected != nullptr && expected->kind == Awaited::kExecute);
    if (!runs_statement_now() || !may_come) {
        return violate("CommandComplete");
    }
    end_copy();
    if (expected->batch && !expected->batch->keep_end(frame)) {
        return violate("CommandComplete");
    }
    if (!expected->batch) {
        show(frame, client);
    }
    const bool is_complete = type == BackendType::kCommandComplete;
    if (is_complete && !expected->injected) {
        const auto complete = wire::decode_command_complete(frame.body);
        if (expected->audited != nullptr && complete.has_value()) {
            expected->audited->completed(complete->tag);
        }
        apply_name_changes(*state_, complete.has_value() ? complete->tag : "", *expected);
    }
    if (expected->kind == Awaited::kQuery) {
        ++expected->current;
        return;
    }
    pop();
}

/// The server reports settings, and notifies, when a transaction is over.
void ReplyPath::release_end(Outgoing& client) {
    Expected* const expected = state_->pending.front();
    if (expected != nullptr && expected->batch && streams_to_client()) {
        expected->batch->release(client);
    }
}

void ReplyPath::on_parameter_status(const wire::Frame& frame, Outgoing& client) {
    const auto status = wire::decode_parameter_status(frame.body);
    if (!status.has_value()) {
        return violate("ParameterStatus");
    }
    state_->take_setting(status->name, status->value);
    release_end(client);
    client.pass(frame.bytes);
}

void ReplyPath::on_ready_for_query(const wire::Frame& frame, Outgoing& client, Outgoing& upstream) {
    const auto ready = wire::decode_ready_for_query(frame.body);
    const Expected* expected = state_->pending.front();
    if ((expected == nullptr || !expected->ends_segment()) && state_->pending.recall_sync()) {
        expected = state_->pending.front();
    }
    if (!ready.has_value() || expected == nullptr || !expected->ends_segment()) {
        return violate("ReadyForQuery");
    }
    state_->transaction = ready->status;
    end_copy();
    release_end(client);
    const bool is_injected = expected->injected;
    const SegmentPtr segment = expected->segment;
    count_ready(*state_, *expected);
    pop();
    if (segment && !segment->late_marker.empty() &&
        ready->status == wire::TransactionStatus::kInTransaction) {
        return abort_transaction(segment->late_marker, upstream);
    }
    state_->settings_stale = state_->settings_stale && !state_->pending.empty();
    const bool is_idle = ready->status == wire::TransactionStatus::kIdle;
    if (!is_injected) {
        client.pass(frame.bytes);
        ++state_->answered_requests;
        state_->ended_transactions += is_idle ? 1U : 0U;
        state_->statement_timed_out = false;
    }
    if (is_idle && !is_injected) {
        state_->grace.transaction_ended(segment);  // of the client's: what we ask comes before it
    }
    if (is_idle) {
        on_transaction_end(segment);
    }
}

/// The client was told that its transaction failed; the server must come to know it, too. The
/// ReadyForQuery of this Query is the one the client gets.
void ReplyPath::abort_transaction(std::string_view marker, Outgoing& upstream) {
    if (!state_->pending.empty()) {
        return violate("a value that does not open, after later statements were already sent");
    }
    Expected abort;
    abort.kind = Awaited::kQuery;
    abort.silenced = true;
    state_->pending.push(std::move(abort));
    wire::append_query(upstream.made(), marker);
}

void ReplyPath::on_transaction_end(const SegmentPtr& segment) {
    // Portals of batches that were sent meanwhile live on.
    std::erase_if(state_->portals, [&segment](const auto& entry) {
        const SegmentPtr bound_in = entry.second->bound_in.lock();
        return !entry.second->is_held && (bound_in == nullptr || bound_in == segment);
    });
    // What else is on its way may be a SET or DDL of a later transaction.
    const bool is_last = state_->pending.empty();
    if (state_->defines_something) {
        state_->environment->definitions->advance();
        state_->defines_something = !is_last;
    }
    if (state_->catalog_uncertain && state_->injection.purpose() == Injection::Purpose::kNone) {
        state_->catalog.clear();
        state_->catalog_uncertain = !is_last;
    }
    if (is_last) {
        state_->settings_touched = false;
        state_->renew_policy();
    }
}

void ReplyPath::show(const wire::Frame& frame, Outgoing& client) {
    const Expected* const expected = state_->pending.front();
    if (expected == nullptr || (!expected->injected && !expected->silenced)) {
        client.pass(frame.bytes);
    }
}

void ReplyPath::pop() {
    const bool was_injected = state_->pending.front()->injected;
    report_if_slow(*state_, *state_->pending.front());
    end_audited(*state_->pending.front());
    state_->pending.pop();
    if (was_injected && state_->injection.answered()) {
        use_injected_answer(*state_);
    }
    if (state_->pending.empty() && state_->wait == Wait::kDrain) {
        state_->wait = Wait::kNothing;
    }
}

void ReplyPath::violate(std::string_view what) {
    state_->violation = "unexpected message from the server: ";
    state_->violation.append(what);
}

}  // namespace pgveil::relay
