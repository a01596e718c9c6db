#pragma once

#include "keyshare/core/random.hpp"
#include "proxy/relay/relay.hpp"
#include "proxy/wire/frontend.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::relay {

/// No zones but UTC.
class NoZones final : public types::TimeZoneSource {
public:
    const types::TimeZone* find(std::string_view /*name*/) const override { return &utc_; }

private:
    types::TimeZone utc_ = types::TimeZone::utc();
};

/// One relay between a scripted client and a scripted server: "client sends, server must see,
/// server answers, client must see". Messages are shown as their type letters and, where a test
/// asks for it, their text.
class Conversation {
public:
    /// `policy` is policy.json; no custody, so nothing can be sealed or opened.
    /// @param replicates it is a replication connection
    explicit Conversation(std::string_view policy, bool replicates = false);

    Relay& relay() { return *relay_; }

    config::LimitSettings& limits() { return environment_.limits; }

    /// Statements that take so long are noted in slow(), which has one line for each.
    void note_slow(std::uint32_t least_ms);

    const std::string& slow() const { return slow_; }

    void pass_ms(std::int64_t duration) { clock_ms_ += duration; }

    const DefinitionCount& definitions() const { return *environment_.definitions; }

    /// What the client sends. Returns the type letters that reach the server, in order.
    std::string client_sends(const wire::Output& bytes);
    /// The same of bytes that are no whole messages: how many bytes reach the server.
    std::size_t client_sends_piece(wire::ByteView piece);
    /// What the server sends. Returns the type letters that reach the client; what the proxy says
    /// to the server meanwhile is in to_server().
    std::string server_sends(const wire::Output& bytes);

    /// Type letters and bytes of the messages that reached the server since the last call.
    const std::string& to_server() const { return to_server_; }

    const std::string& to_client() const { return to_client_; }

    /// All bytes that ever reached the server.
    const std::string& server_log() const { return server_log_; }

private:
    std::string feed_client();

    Environment environment_;
    NoZones zones_;
    std::int64_t clock_ms_ = 0;
    std::unique_ptr<Relay> relay_;
    std::vector<std::uint8_t> client_input_;
    std::vector<std::uint8_t> server_input_;
    std::string to_server_;
    std::string to_client_;
    std::string server_log_;
    std::string slow_;
};

// ---- messages ----

wire::Output query(std::string_view text);
wire::Output parse(std::string_view name, std::string_view text);
wire::Output bind(std::string_view portal, std::string_view statement, std::string_view value);
wire::Output execute(std::string_view portal);
wire::Output close_statement(std::string_view name);
wire::Output sync();
wire::Output both(wire::Output first, const wire::Output& second);

wire::Output complete(std::string_view tag);
wire::Output ready(char status);
wire::Output error(std::string_view sqlstate, std::string_view message);
wire::Output acknowledge(std::string_view letters);  ///< '1', '2', '3', 'n', 's', 'I'
/// The answer to a look-up that finds `names` as plain tables with one column `id int4`; names
/// beginning with '-' are absent.
wire::Output looked_up(const std::vector<std::string>& names, bool with_ready);

}  // namespace pgveil::relay
