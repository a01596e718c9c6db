#pragma once

#include "proxy/relay/outgoing.hpp"
#include "proxy/relay/refusal.hpp"
#include "proxy/relay/session_state.hpp"
#include "proxy/wire/frame.hpp"

#include <deque>
#include <memory>
#include <string_view>

namespace pgveil::relay {

/// A session on a replication connection, where nothing is protected: messages pass as they are,
/// nothing is analysed, sealed or opened. COPY data passes in pieces and is not seen here.
///
/// What may not leave is answered by an error in its turn: a command that names pgveil (its session
/// parameters hold shares), and one that reads more than the database of the connection while the
/// policy protects something in another: BASE_BACKUP, physical START_REPLICATION. Nothing but COPY
/// data leaves once the policy protects something in this database.
class ReplicationPath {
public:
    explicit ReplicationPath(SessionState& state) : state_(&state) {}

    /// A whole message of the client that is no COPY data.
    void on_client(const wire::Frame& frame, Outgoing& upstream);

    /// A whole message of the server that must_be_whole().
    void on_server(const wire::Frame& frame, Outgoing& client);

    static bool must_be_whole(std::uint8_t type, std::size_t size);

    /// A command has no answer yet.
    bool awaits_server() const { return !commands_.empty(); }

    /// COPY in both directions: it ends when somebody ends it.
    bool streams() const { return streams_; }

    /// The server has told the client why it ends the session.
    bool said_farewell() const { return said_farewell_; }

private:
    void on_query(const wire::Frame& frame, Outgoing& upstream);
    void on_error(const wire::Frame& frame, Outgoing& client);
    void on_ready_for_query(const wire::Frame& frame);

    SessionState* state_;
    /// Each ends with a ReadyForQuery. Null: it was passed on.
    std::deque<std::unique_ptr<const Refusal>> commands_;
    bool streams_ = false;
    bool said_farewell_ = false;
};

/// Whether a command of the replication grammar (chapter "Streaming Replication Protocol") reads
/// what belongs to the whole cluster. False for SQL and for what nobody understands.
bool reads_whole_cluster(std::string_view command);

}  // namespace pgveil::relay
