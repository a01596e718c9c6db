#pragma once

#include "proxy/relay/outgoing.hpp"
#include "proxy/relay/replication_path.hpp"
#include "proxy/relay/reply_path.hpp"
#include "proxy/relay/session_state.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace pgveil::relay {

/// One session's decisions, free of I/O: bytes in from both sides, bytes out to both sides.
///
/// How to drive it:
///     used = relay.on_client(received, upstream);           // again whenever bytes came in
///     used = relay.on_upstream(received, client, upstream); // and then, if not client_waits():
///     used = relay.on_client(...)                           // what had to wait may go on now
/// Both return how many bytes were used up; the rest is presented again with more behind it, once
/// at least *_wants() bytes are there. The slices in Outgoing point into `received`: take them
/// before it is consumed. When violation() is not empty, or is_finished(), the session ends.
/// Belongs to one session's worker.
class Relay {
public:
    Relay(Environment& environment, SessionFacts facts);

    SessionState& state() { return state_; }

    const SessionState& state() const { return state_; }

    std::size_t on_client(wire::ByteView received, Outgoing& upstream);
    std::size_t on_upstream(wire::ByteView received, Outgoing& client, Outgoing& upstream);

    /// The client's next message waits for the server.
    bool client_waits() const { return state_.wait != Wait::kNothing; }

    /// Bytes that must be there, from the first unused one, before the next call can do more.
    std::size_t client_wants() const { return client_wants_; }

    std::size_t upstream_wants() const { return upstream_wants_; }

    /// A peer broke the protocol: what to tell the client before closing.
    const std::string& violation() const { return state_.violation; }

    /// The client said Terminate.
    bool is_finished() const { return finished_; }

    /// The client has the beginning of a message whose rest is still to come: whatever is said now
    /// would be read as part of it.
    bool is_inside_reply() const { return upstream_left_ > 0 && !upstream_left_dropped_; }

    /// The server has told the client why it ends the session (an error of severity FATAL).
    bool server_said_farewell() const {
        return replication_ ? replication_->said_farewell() : replies_.said_farewell();
    }

    /// A request of the client has no answer yet.
    bool awaits_server() const {
        return replication_ ? replication_->awaits_server() : !state_.pending.empty();
    }

    /// The server streams WAL or changes, until somebody ends it.
    bool streams_replication() const { return replication_ && replication_->streams(); }

    /// The client has kept an open request waiting: its keys are wiped and rebuilt on its next
    /// message (CRYPTO.md section 6). Nothing happens while replies are outstanding.
    void wipe_idle_keys();

private:
    /// How much of `rest` was used up; empty if more bytes, or replies, must come first.
    std::optional<std::size_t> take_message(wire::ByteView rest, Outgoing& upstream);
    /// A message whose bytes pass (or are dropped) piece by piece begins.
    void begin_streaming(const wire::Peek& peek, Outgoing& upstream);
    bool can_begin(const wire::Peek& peek, wire::ByteView here) const;
    std::optional<std::size_t> begin_message(
        const wire::Peek& peek, wire::ByteView here, Outgoing& upstream
    );
    std::size_t stream_from_client(wire::ByteView here, Outgoing& upstream);
    bool on_client_message(const wire::Frame& frame, Outgoing& upstream);
    bool is_between_requests() const;
    bool must_be_whole(const wire::Peek& peek) const;
    bool dispatch(const wire::Frame& frame, Outgoing& upstream);
    bool on_function_call(const wire::Frame& frame, Outgoing& upstream);
    bool must_wait_for_copy(Outgoing& upstream);
    bool on_copy_end(const wire::Frame& frame, Outgoing& upstream);
    void refuse_oversized(std::uint8_t type, Outgoing& upstream);

    SessionState state_;
    ReplyPath replies_;
    std::optional<ReplicationPath> replication_;  ///< in place of everything else
    std::size_t client_wants_ = 0;
    std::size_t upstream_wants_ = 0;
    std::size_t client_left_ = 0;  ///< bytes of a streamed message still to come
    bool client_left_dropped_ = false;
    bool client_left_sealed_ = false;  ///< they are data of a COPY whose rows are sealed
    std::size_t upstream_left_ = 0;
    bool upstream_left_dropped_ = false;
    bool finished_ = false;
};

}  // namespace pgveil::relay
