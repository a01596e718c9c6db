#pragma once

#include "proxy/relay/relay.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pgveil::fuzz {

/// Calls abort(): what a fuzzer looks for.
void require(bool condition);

/// One relay between two peers that send whatever they are told. It drives the relay as a session
/// does: bytes that were not used up are presented again with more behind them.
class RelaySession {
public:
    RelaySession();
    RelaySession(const RelaySession&) = delete;
    RelaySession& operator=(const RelaySession&) = delete;
    RelaySession(RelaySession&&) = delete;
    RelaySession& operator=(RelaySession&&) = delete;
    ~RelaySession();

    void client_sends(wire::ByteView bytes);
    void server_sends(wire::ByteView bytes);

    /// The client lets its open request wait.
    void client_idles() { relay_->wipe_idle_keys(); }

    /// What an honest server says to the oldest thing that it was sent: to a look-up the catalog,
    /// to the read-back the handles, to everything else that it is done.
    void server_answers();

    bool is_over() const;

    /// Bytes of everything that ever left for the server.
    const std::string& server_log() const { return server_log_; }

private:
    void feed_client();
    void feed_server();
    wire::Output answer();
    wire::Output injected_rows();

    std::unique_ptr<relay::Environment> environment_;
    std::unique_ptr<relay::Relay> relay_;
    relay::ShareHandles handles_;
    std::vector<std::uint8_t> client_input_;
    std::vector<std::uint8_t> server_input_;
    std::string server_log_;
};

}  // namespace pgveil::fuzz
