#pragma once

#include "proxy/relay/outgoing.hpp"
#include "proxy/relay/session_state.hpp"
#include "proxy/wire/frame.hpp"

namespace pgveil::relay {

/// The server's messages: whose answer is this, is anything in it to be opened, and who gets it.
///
/// One call per whole message. What goes to the client is appended to `client`; `upstream` gets
/// what the proxy itself has to say to the server (after a value did not open).
class ReplyPath {
public:
    explicit ReplyPath(SessionState& state) : state_(&state) {}

    void on_message(const wire::Frame& frame, Outgoing& client, Outgoing& upstream);

    /// A message of this type and size that comes now must be held whole; others may be streamed:
    /// then `streams_to_client` says whether the client gets it, and on_message is not called.
    bool must_be_whole(std::uint8_t type, std::size_t size) const;
    bool streams_to_client() const;

    /// The server has told the client why it ends the session.
    bool said_farewell() const { return said_farewell_; }

private:
    bool runs_statement_now() const;
    void on_simple_acknowledgement(const wire::Frame& frame, Outgoing& client);
    void on_parameter_description(const wire::Frame& frame, Outgoing& client);
    void on_row_description(const wire::Frame& frame, Outgoing& client, Outgoing& upstream);
    void on_no_data(const wire::Frame& frame, Outgoing& client);
    void on_data_row(const wire::Frame& frame, Outgoing& client, Outgoing& upstream);
    void on_injected_row(const wire::Frame& frame);
    void release_end(Outgoing& client);
    void on_statement_end(const wire::Frame& frame, Outgoing& client);
    void on_error(const wire::Frame& frame, Outgoing& client);
    void on_farewell(const wire::Frame& frame, Outgoing& client);
    void on_ready_for_query(const wire::Frame& frame, Outgoing& client, Outgoing& upstream);
    void on_copy_in_response(const wire::Frame& frame, Outgoing& client, Outgoing& upstream);
    void on_copy_out_response(const wire::Frame& frame, Outgoing& client, Outgoing& upstream);
    void on_copy_data(const wire::Frame& frame, Outgoing& client, Outgoing& upstream);
    void end_copy();
    void on_parameter_status(const wire::Frame& frame, Outgoing& client);

    void on_injected_error(const wire::Frame& frame, Outgoing& client);

    void show(const wire::Frame& frame, Outgoing& client);
    void pop();
    void fail_late(const Refusal& refusal, Outgoing& client, Outgoing& upstream);
    void abort_transaction(std::string_view marker, Outgoing& upstream);
    void skip_to_sync();
    void take_back(const Undo& undo);
    void on_transaction_end(const SegmentPtr& segment);
    void violate(std::string_view what);

    SessionState* state_;
    bool said_farewell_ = false;
};

}  // namespace pgveil::relay
