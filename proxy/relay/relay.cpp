#include "proxy/relay/relay.hpp"

#include "proxy/relay/audit.hpp"
#include "proxy/relay/copy_in.hpp"
#include "proxy/relay/extended_query.hpp"
#include "proxy/relay/measures.hpp"
#include "proxy/relay/preparation.hpp"
#include "proxy/relay/simple_query.hpp"
#include "proxy/relay/slow_statements.hpp"
#include "proxy/wire/frame.hpp"
#include "proxy/wire/frontend.hpp"

#include <algorithm>
#include <array>

namespace pgveil::relay {

using wire::FrontendType;
using wire::PeekStatus;

namespace {

/// The large-object functions, which drivers call this way. Others may run SQL (query_to_xml) or
/// set a parameter (set_config) that nobody looked at.
constexpr std::array<std::uint32_t, 16> kLargeObjectOids = {
    715, 952, 953, 954, 955, 956, 957, 958, 964, 1004, 3170, 3171, 3172, 3457, 3458, 3459};
constexpr std::uint32_t kLargeObjectPutOid = 3460;

/// PostgreSQL makes no longer body (MaxAllocSize): what claims to be longer is not waited for.
constexpr std::size_t kServerMessageMax = (std::size_t{1} << 30U) + wire::kFrameHeadSize;

/// What is not longer is gathered, whatever it is.
constexpr std::size_t kGatheredMax = std::size_t{64} * 1024;

bool is_large_object_call(std::uint32_t oid) {
    return oid == kLargeObjectPutOid ||
           std::find(kLargeObjectOids.begin(), kLargeObjectOids.end(), oid) !=
               kLargeObjectOids.end();
}

/// What a client may send while the server waits for COPY data (chapter 55.2.6).
bool belongs_to_copy(FrontendType type) {
    return type == FrontendType::kCopyDone || type == FrontendType::kCopyFail ||
           type == FrontendType::kFlush || type == FrontendType::kSync ||
           type == FrontendType::kTerminate;
}

/// What is kept of statements grows with it, at least until its reply has come.
bool adds_plans(FrontendType type) {
    return type == FrontendType::kQuery || type == FrontendType::kParse ||
           type == FrontendType::kBind || type == FrontendType::kDescribe;
}

/// In the middle of a batch the server skips them, too, if anything before them has failed; else
/// they end it. Which of both, only the replies tell.
bool ends_batch_unless_failed(FrontendType type) {
    return type == FrontendType::kQuery || type == FrontendType::kFunctionCall;
}

/// Passes (or drops) the piece of a streamed message that is here. Returns its size.
std::size_t stream(wire::ByteView here, std::size_t& left, bool dropped, Outgoing& to) {
    const std::size_t size = std::min(here.size(), left);
    left -= size;
    if (!dropped) {
        to.pass(here.first(size));
    }
    return size;
}

}  // namespace

Relay::Relay(Environment& environment, SessionFacts facts)
    : state_(environment, std::move(facts)), replies_(state_) {
    if (state_.facts.replicates) {
        replication_.emplace(state_);
    }
}

std::size_t Relay::on_client(wire::ByteView received, Outgoing& upstream) {
    std::size_t used = 0;
    client_wants_ = 1;
    const CopyWatch watch(state_);
    while (used < received.size() && !client_waits() && state_.violation.empty()) {
        const wire::ByteView rest = received.subspan(used);
        const std::optional<std::size_t> taken =
            client_left_ > 0 ? stream_from_client(rest, upstream) : take_message(rest, upstream);
        if (!taken) {
            break;
        }
        used += *taken;
    }
    state_.pending.note_sent();
    return used;
}

/// The piece of a streamed message that is here. Returns its size.
std::size_t Relay::stream_from_client(wire::ByteView here, Outgoing& upstream) {
    if (!client_left_sealed_) {
        return stream(here, client_left_, client_left_dropped_, upstream);
    }
    const std::size_t size = std::min(here.size(), client_left_);
    client_left_ -= size;
    if (state_.copying) {
        const auto taken = state_.copying->take(here.first(size), upstream.made());
        if (!taken.has_value()) {
            refuse_copy(state_, taken.error(), upstream);
        }
    }
    return size;
}

std::optional<std::size_t> Relay::take_message(wire::ByteView rest, Outgoing& upstream) {
    wire::FrameReader frames(rest, state_.environment->limits.message_bytes);
    const wire::Peek peek = frames.peek();
    if (peek.status == PeekStatus::kMalformed) {
        state_.violation = "invalid message length";
        return std::nullopt;
    }
    if (peek.status == PeekStatus::kNeedHead) {
        client_wants_ = rest.size() + peek.missing;
        return std::nullopt;
    }
    const bool is_copy_data = wire::frontend_type(peek.type) == FrontendType::kCopyData;
    if (is_copy_data && must_wait_for_copy(upstream)) {
        return std::nullopt;
    }
    if (is_copy_data && state_.copying) {
        client_left_ = peek.size - wire::kFrameHeadSize;
        client_left_sealed_ = true;
        return wire::kFrameHeadSize;
    }
    if (is_copy_data || peek.status == PeekStatus::kTooLarge) {
        begin_streaming(peek, upstream);
        return 0;
    }
    if (peek.status == PeekStatus::kPartial) {
        if (can_begin(peek, rest)) {
            return begin_message(peek, rest, upstream);
        }
        client_wants_ = peek.size;
        return std::nullopt;
    }
    if (!on_client_message(frames.take(), upstream)) {
        return std::nullopt;
    }
    return frames.consumed();
}

/// A long Bind of which nothing is sealed need not be whole.
bool Relay::can_begin(const wire::Peek& peek, wire::ByteView here) const {
    return wire::frontend_type(peek.type) == FrontendType::kBind && peek.size > kGatheredMax &&
           !replication_ && passes_bind(state_, here.subspan(wire::kFrameHeadSize));
}

std::optional<std::size_t> Relay::begin_message(
    const wire::Peek& peek, wire::ByteView here, Outgoing& upstream
) {
    wire::Frame frame{peek.type, here, here.subspan(wire::kFrameHeadSize)};
    frame.is_begun = true;
    if (!on_client_message(frame, upstream)) {
        return std::nullopt;
    }
    client_left_ = peek.size - here.size();
    client_left_sealed_ = false;
    client_left_dropped_ = state_.batch_failed;
    return here.size();
}

void Relay::begin_streaming(const wire::Peek& peek, Outgoing& upstream) {
    const bool is_copy_data = wire::frontend_type(peek.type) == FrontendType::kCopyData;
    client_left_ = peek.size;
    client_left_sealed_ = false;
    client_left_dropped_ = !is_copy_data || (!state_.copy_in && !replication_);
    if (!is_copy_data && replication_) {
        state_.violation = "a message is too long for a replication connection";
    } else if (!is_copy_data) {
        refuse_oversized(peek.type, upstream);
    }
}

/// A session may have been idle when a reload came.
bool Relay::is_between_requests() const {
    return state_.pending.empty() && !state_.batch_open && !state_.copy_in && !state_.looked_up &&
           state_.transaction == wire::TransactionStatus::kIdle;
}

bool Relay::on_client_message(const wire::Frame& frame, Outgoing& upstream) {
    const FrontendType type = wire::frontend_type(frame.type);
    if (replication_) {
        finished_ = finished_ || type == FrontendType::kTerminate;
        replication_->on_client(frame, upstream);
        return true;
    }
    const bool ends_batch = type == FrontendType::kSync || type == FrontendType::kTerminate;
    if (state_.batch_failed && !ends_batch) {
        state_.arrived_ms.reset();
        return true;
    }
    if (state_.copy_in && !belongs_to_copy(type)) {
        // The server would end the session, too; waiting for its replies would never end.
        state_.violation = "unexpected message during COPY";
        return true;
    }
    note_arrival(state_);
    const std::size_t limit = state_.environment->limits.pending_replies;
    const bool must_settle = state_.barrier || state_.pending.size() >= limit ||
                             (state_.batch_open && ends_batch_unless_failed(type)) ||
                             (adds_plans(type) && state_.keeps_too_much());
    if (must_settle && !state_.pending.empty() && !state_.copy_in) {
        wait_for_replies(state_, upstream);
        return false;
    }
    state_.barrier = false;
    if (is_between_requests()) {
        state_.renew_policy();
    }
    const AtHand at_hand(state_, frame);
    const bool may_begin_request =
        type == FrontendType::kQuery || type == FrontendType::kParse || type == FrontendType::kBind;
    if (may_begin_request && wipe_superseded(state_, upstream)) {
        return false;
    }
    const bool runs_statements = type == FrontendType::kQuery || type == FrontendType::kExecute;
    if ((runs_statements && revoke_verified_user(state_, upstream)) || !dispatch(frame, upstream)) {
        return false;
    }
    time_statement(state_, frame);
    name_audited(state_, frame);
    state_.looked_up = false;
    state_.viewpoint.clear();
    state_.type_ensured = false;
    return true;
}

bool Relay::dispatch(const wire::Frame& frame, Outgoing& upstream) {
    switch (wire::frontend_type(frame.type)) {
        case FrontendType::kQuery: return on_query(state_, frame, upstream);
        case FrontendType::kParse: return on_parse(state_, frame, upstream);
        case FrontendType::kBind: return on_bind(state_, frame, upstream);
        case FrontendType::kDescribe: return on_describe(state_, frame, upstream);
        case FrontendType::kExecute: return on_execute(state_, frame, upstream);
        case FrontendType::kClose: return on_close(state_, frame, upstream);
        case FrontendType::kSync: return on_sync(state_, frame, upstream);
        case FrontendType::kFlush: upstream.pass(frame.bytes); return true;
        case FrontendType::kFunctionCall: return on_function_call(frame, upstream);
        case FrontendType::kCopyData:
        case FrontendType::kCopyDone:
        case FrontendType::kCopyFail: return on_copy_end(frame, upstream);
        case FrontendType::kTerminate:
            finished_ = true;
            upstream.pass(frame.bytes);
            return true;
        case FrontendType::kPasswordMessage:
        case FrontendType::kUnknown: break;
    }
    state_.violation = "invalid frontend message type " + std::to_string(frame.type);
    return true;
}

/// COPY data that comes before the server has asked for it: whether it will ask, only its answer
/// tells. Data that nobody asked for stays here.
bool Relay::must_wait_for_copy(Outgoing& upstream) {
    if (state_.copy_in || state_.pending.empty() || state_.batch_failed) {
        return false;
    }
    wait_for_replies(state_, upstream);
    return true;
}

/// CopyDone and CopyFail.
bool Relay::on_copy_end(const wire::Frame& frame, Outgoing& upstream) {
    if (must_wait_for_copy(upstream)) {
        return false;
    }
    if (!state_.copy_in) {
        return true;
    }
    if (state_.copying && wire::frontend_type(frame.type) == FrontendType::kCopyDone) {
        const auto finished = state_.copying->finish(upstream.made());
        if (!finished.has_value()) {
            refuse_copy(state_, finished.error(), upstream);
            return true;
        }
    } else if (state_.copying) {
        state_.copying->begin(upstream.made());
    }
    state_.copy_in = false;
    state_.copying.reset();
    upstream.pass(frame.bytes);
    return true;
}

bool Relay::on_function_call(const wire::Frame& frame, Outgoing& upstream) {
    const auto call = wire::decode_function_call(frame.body);
    if (!call.has_value()) {
        state_.violation = "invalid FunctionCall message";
        return true;
    }
    Expected expected;
    expected.kind = Awaited::kFunctionCall;
    expected.segment = std::exchange(state_.segment, nullptr);
    state_.batch_open = false;
    if (is_large_object_call(call->function_oid)) {
        upstream.pass(frame.bytes);
    } else {
        const std::string subject = "function OID " + std::to_string(call->function_oid);
        expected.refusal = refusal(Reason::kFunctionCall, subject);
        const std::size_t start = upstream.made().open_message(FrontendType::kFunctionCall);
        upstream.made().append_int32(0);  // no such function: the server must refuse it
        upstream.made().append_int16(0);
        upstream.made().append_int16(0);
        upstream.made().append_int16(0);
        upstream.made().close_message(start);
    }
    state_.pending.push(std::move(expected));
    return true;
}

void Relay::refuse_oversized(std::uint8_t type, Outgoing& upstream) {
    if (state_.batch_failed) {
        return;
    }
    const std::string limit = std::to_string(state_.environment->limits.message_bytes);
    Refusal too_large = refusal(Reason::kTooLarge, limit);
    if (wire::frontend_type(type) == FrontendType::kQuery) {
        refuse_query(state_, std::move(too_large), upstream);
    } else {
        refuse_extended(state_, std::move(too_large), upstream);
    }
}

std::size_t Relay::on_upstream(wire::ByteView received, Outgoing& client, Outgoing& upstream) {
    std::size_t used = 0;
    upstream_wants_ = 1;
    const OpenWatch watch(state_);
    while (used < received.size() && state_.violation.empty()) {
        const wire::ByteView rest = received.subspan(used);
        if (upstream_left_ > 0) {
            used += stream(rest, upstream_left_, upstream_left_dropped_, client);
            continue;
        }
        wire::FrameReader frames(rest, kServerMessageMax);
        const wire::Peek peek = frames.peek();
        if (peek.status == PeekStatus::kMalformed || peek.status == PeekStatus::kTooLarge) {
            state_.violation = "unexpected message length from the server";
            break;
        }
        if (peek.status == PeekStatus::kNeedHead) {
            upstream_wants_ = rest.size() + peek.missing;
            break;
        }
        if (!must_be_whole(peek)) {
            upstream_left_ = peek.size;
            upstream_left_dropped_ = !replication_ && !replies_.streams_to_client();
            continue;
        }
        if (peek.status == PeekStatus::kPartial) {
            upstream_wants_ = peek.size;
            break;
        }
        const wire::Frame frame = frames.take();
        used += frames.consumed();
        if (replication_) {
            replication_->on_server(frame, client);
        } else {
            replies_.on_message(frame, client, upstream);
        }
    }
    return used;
}

/// Of the server's messages.
bool Relay::must_be_whole(const wire::Peek& peek) const {
    return replication_ ? ReplicationPath::must_be_whole(peek.type, peek.size)
                        : replies_.must_be_whole(peek.type, peek.size);
}

void Relay::wipe_idle_keys() {
    if (state_.segment && state_.pending.empty()) {
        state_.segment->wipe_keys();
    }
}

}  // namespace pgveil::relay
