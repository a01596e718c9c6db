#include "proxy/relay/audit.hpp"
#include "proxy/relay/injected_answer.hpp"
#include "proxy/relay/measures.hpp"
#include "proxy/relay/name_changes.hpp"
#include "proxy/relay/opener.hpp"
#include "proxy/relay/reply_path.hpp"
#include "proxy/relay/server_error.hpp"
#include "proxy/relay/slow_statements.hpp"
#include "proxy/wire/frontend.hpp"

#include <string>

/// What a ReplyPath does when something fails: at the server, or in the opening of a row.
namespace pgveil::relay {

namespace {

/// Puts `before` back where the skipped message changed something, unless a later one did, too.
template <class Item>
void restore(
    Registry<Item>& registry, const Undo& undo, const std::shared_ptr<const Item>& before
) {
    const auto found = registry.find(undo.name);
    const void* const now = found == registry.end() ? nullptr : found->second.get();
    if (now != undo.made) {
        return;
    }
    registry.erase(undo.name);
    if (before != nullptr) {
        registry.emplace(undo.name, before);
    }
}

}  // namespace

void ReplyPath::on_error(const wire::Frame& frame, Outgoing& client) {
    if (ends_session(frame)) {
        return on_farewell(frame, client);
    }
    Expected* const expected = state_->pending.front();
    if (expected == nullptr) {
        return client.pass(frame.bytes);
    }
    state_->parameters.touch_if_unsettled();
    state_->unreported.touch_if_unsettled();
    end_copy();
    if (expected->injected) {
        return on_injected_error(frame, client);
    }
    if (!expected->silenced) {
        append_server_error(*state_, frame, *expected, client);
    }
    if (expected->timing != nullptr) {
        expected->timing->failed = true;
    }
    fail_audited(*expected, frame);
    if (expected->kind == Awaited::kQuery || expected->kind == Awaited::kFunctionCall) {
        expected->silenced = true;  // nothing but ReadyForQuery can follow
        return;
    }
    report_if_slow(*state_, *expected);
    end_audited(*expected);
    skip_to_sync();
}

/// With a Sync of our own behind it, the client's message fails when it is presented again. Without
/// one, the client's own batch has failed, here and now.
void ReplyPath::on_injected_error(const wire::Frame& frame, Outgoing& client) {
    Refusal refusal = refusal_of(frame, state_->injection.purpose());
    if (state_->injection.ending() == Ending::kFlush) {
        append(client.made(), refusal);
        state_->injection.reset();
        state_->wait = Wait::kNothing;
        return skip_to_sync();
    }
    state_->injection.fail(std::move(refusal));
    skip_to_sync();
    state_->injection.expect(1);
}

void ReplyPath::skip_to_sync() {
    const bool found = state_->pending.drop_to_sync([this](const Undo& undo) { take_back(undo); });
    if (!found && state_->batch_open) {
        state_->batch_failed = true;
    }
    if (!found && state_->wait == Wait::kInjection) {
        state_->injection.reset();  // it went into the failed batch: its answer never comes
        state_->wait = Wait::kNothing;
    }
    if (state_->pending.empty() && state_->wait == Wait::kDrain) {
        state_->wait = Wait::kNothing;
    }
}

void ReplyPath::take_back(const Undo& undo) {
    if (undo.registry == Undo::Registry::kStatements) {
        restore(state_->statements, undo, undo.statement);
    } else {
        restore(state_->portals, undo, undo.portal);
    }
}

/// The client is told now, in the place of the row that does not open; the server learns of it
/// before the transaction can go on.
void ReplyPath::fail_late(const Refusal& refusal, Outgoing& client, Outgoing& upstream) {
    SegmentPtr& segment = state_->pending.front()->segment;
    if (segment == nullptr) {
        segment = std::make_shared<Segment>();  // of a Query that nothing was prepared for
    }
    append(client.made(), refusal);
    segment->late_marker = state_->marker_for(refusal);
    state_->pending.silence(segment);
    if (state_->segment != segment) {
        return;
    }
    Expected failing;
    failing.kind = Awaited::kParse;
    failing.silenced = true;
    failing.segment = segment;
    state_->pending.push(std::move(failing));
    wire::append_parse(upstream.made(), "pgveil_refused", segment->late_marker, {});
    wire::append_empty(upstream.made(), wire::FrontendType::kFlush);
    state_->batch_failed = true;
}

}  // namespace pgveil::relay
