#pragma once

#include "proxy/wire/backend.hpp"
#include "proxy/wire/message_type.hpp"

#include <cstddef>
#include <deque>

namespace pgveil::agent {

/// Where one request of a session ends and the next begins: what was sent to the proxy, and not
/// answered yet.
///
/// A request is one Query, one FunctionCall, or a batch up to its Sync; each ends with a
/// ReadyForQuery (PostgreSQL, "Message Flow"). Between two requests the agent may send one of its
/// own, whose replies the client must not see. Tell it every message of both directions, in order.
/// Pure; belongs to one session.
class Exchange {
public:
    /// A message of the client that goes upstream now.
    void on_client(wire::FrontendType type);

    /// A request of the agent's own goes upstream now. Only when may_insert().
    void on_own_request();

    /// A message of the proxy.
    /// @return whether it answers a request of the agent's own
    bool on_upstream(wire::BackendType type);

    /// After the ReadyForQuery that on_upstream() was told of.
    void on_status(wire::TransactionStatus status) { status_ = status; }

    /// Whether a message of this type, were it the client's next, would begin a request.
    bool would_begin(wire::FrontendType type) const;

    /// Nothing is unanswered and no batch is open.
    bool may_insert() const { return unanswered_.empty() && !batch_open_ && !copying_; }

    /// The proxy's next reply answers a request of the agent's own.
    bool answers_own() const { return !unanswered_.empty() && unanswered_.front() == Sent::kOwn; }

    /// Of the last ReadyForQuery.
    wire::TransactionStatus status() const { return status_; }

    bool is_logged_in() const { return logged_in_; }

private:
    enum class Sent { kLogin, kQuery, kSync, kCopyEnd, kOwn };

    void on_copy_in();
    void drop_copy_ends();

    std::deque<Sent> unanswered_{Sent::kLogin};
    wire::TransactionStatus status_ = wire::TransactionStatus::kIdle;
    bool batch_open_ = false;  ///< messages were sent whose Sync was not
    bool copying_ = false;     ///< the proxy awaits CopyData, and reads over Sync and Flush
    bool logged_in_ = false;
};

}  // namespace pgveil::agent
