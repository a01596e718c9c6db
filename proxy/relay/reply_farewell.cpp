#include "proxy/relay/reply_path.hpp"
#include "proxy/relay/server_error.hpp"

// The server's last words.
namespace pgveil::relay {

/// Whatever it interrupts, an answer of ours included: nothing follows it but the end.
void ReplyPath::on_farewell(const wire::Frame& frame, Outgoing& client) {
    said_farewell_ = true;
    const Expected* const expected = state_->pending.front();
    if (expected == nullptr || expected->injected || expected->silenced) {
        return client.pass(frame.bytes);
    }
    append_server_error(*state_, frame, *expected, client);
}

}  // namespace pgveil::relay
