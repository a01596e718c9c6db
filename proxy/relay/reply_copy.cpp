#include "proxy/relay/copy_in.hpp"
#include "proxy/relay/copy_out.hpp"
#include "proxy/relay/reply_path.hpp"

// The server's side of COPY.
namespace pgveil::relay {

namespace {

/// CopyInResponse for text or csv: the server itself was promised binary.
void ask_for_text(std::size_t columns, wire::Output& client) {
    const std::size_t start = client.open_message(wire::BackendType::kCopyInResponse);
    client.append_int8(0);
    client.append_int16(static_cast<std::uint16_t>(columns));
    for (std::size_t i = 0; i < columns; ++i) {
        client.append_int16(0);
    }
    client.close_message(start);
}

}  // namespace

void ReplyPath::on_copy_in_response(
    const wire::Frame& frame, Outgoing& client, Outgoing& upstream
) {
    Expected* const expected = state_->pending.front();
    const auto response = wire::decode_copy_response(frame.body);
    if (!runs_statement_now() || expected->injected || !response.has_value()) {
        return violate("CopyInResponse");
    }
    state_->copy_in = true;
    state_->pending.forget_syncs_behind_front();
    if (state_->wait == Wait::kDrain) {
        state_->wait = Wait::kNothing;  // the server wants what the client has to say
    }
    expected->copied_rows.reset();
    const bool is_concerned = expected->portal() != nullptr && !expected->silenced;
    if (is_concerned && !begin_copy_in(*state_, *response, upstream)) {
        return;
    }
    if (expected->copied_rows != nullptr) {
        return ask_for_text(response->column_formats.size(), client.made());
    }
    show(frame, client);
}

void ReplyPath::on_copy_out_response(
    const wire::Frame& frame, Outgoing& client, Outgoing& upstream
) {
    const Expected* const expected = state_->pending.front();
    const auto response = wire::decode_copy_response(frame.body);
    if (!runs_statement_now() || expected->injected || !response.has_value()) {
        return violate("CopyOutResponse");
    }
    const Portal* const portal = expected->portal();
    if (portal != nullptr && portal->planned.plan()->copy != nullptr && !expected->silenced) {
        const auto& shared = expected->portals[expected->current];
        state_->copied = std::make_shared<CopyOut>(shared, expected->segment);
        const Outcome fits = state_->copied->check(response->column_formats.size());
        if (!fits.has_value()) {
            return fail_late(fits.error(), client, upstream);
        }
        return state_->copied->announce(*response, client.made());
    }
    show(frame, client);
}

void ReplyPath::on_copy_data(const wire::Frame& frame, Outgoing& client, Outgoing& upstream) {
    if (state_->copied == nullptr) {
        return violate("CopyData");
    }
    const Outcome answered = state_->copied->answer(*state_, frame.body, client.made());
    if (!answered.has_value()) {
        fail_late(answered.error(), client, upstream);
    } else if (AuditedStatement* const audited = state_->pending.front()->audited.get()) {
        audited->opened_row();
    }
}

/// Of whatever direction: no more data is expected.
void ReplyPath::end_copy() {
    state_->copy_in = false;
    state_->copying.reset();
    state_->copied.reset();
}

}  // namespace pgveil::relay
