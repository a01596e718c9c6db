#pragma once

#include "proxy/session/bootstrap_statement.hpp"
#include "proxy/wire/frame.hpp"
#include "proxy/wire/frontend.hpp"
#include "proxy/wire/output.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pgveil::session {

/// What the endpoint asks of the proxy's custody (an interface, so that the messages can be tested
/// without a store).
class BootstrapSteps {
public:
    struct Refusal {
        Refusal() = default;

        Refusal(std::string state, std::string text)
            : sqlstate(std::move(state)), message(std::move(text)) {}

        std::string sqlstate;
        std::string message;
    };

    using Answer = boost::system::result<std::string, Refusal>;

    BootstrapSteps() = default;
    BootstrapSteps(const BootstrapSteps&) = delete;
    BootstrapSteps& operator=(const BootstrapSteps&) = delete;
    BootstrapSteps(BootstrapSteps&&) = delete;
    BootstrapSteps& operator=(BootstrapSteps&&) = delete;
    virtual ~BootstrapSteps() = default;

    /// The one-time password's SCRAM verifier in PostgreSQL's text form; nothing: closed.
    virtual std::optional<std::string> verifier() const = 0;

    /// One step; the answer is the text for the client.
    virtual Answer call(std::string_view step, std::string_view argument) = 0;
};

/// The messages of one logged-in bootstrap session: bytes in, bytes out, no socket.
///
///     while (conversation.on_message(frame, reply)) { send reply; read the next frame }
///
/// Knows the simple query and the extended one with the unnamed statement and the unnamed portal
/// (what psql, PQexec and PQexecParams send), text and binary results. Its only statement is
/// `SELECT pgveil.bootstrap(step, argument)` (bootstrap_statement.hpp), answered by one row with
/// one text column; everything else is refused with 0A000 and the session goes on. There are no
/// transactions: the status is always idle. Used by one thread.
class BootstrapConversation {
public:
    explicit BootstrapConversation(BootstrapSteps& steps) : steps_(&steps) {}

    /// Appends the replies. False after Terminate or a message that breaks the protocol (then the
    /// reply ends in a FATAL): send the reply and close.
    bool on_message(const wire::Frame& frame, wire::Output& reply);

private:
    struct Portal {
        std::string step;
        std::string argument;
        wire::Format result_format = wire::Format::kText;
    };

    bool on_sync(wire::Output& reply);
    static bool on_function_call(wire::Output& reply);
    bool on_query(wire::ByteView body, wire::Output& reply);
    bool on_parse(wire::ByteView body, wire::Output& reply);
    bool on_bind(wire::ByteView body, wire::Output& reply);
    bool on_describe(wire::ByteView body, wire::Output& reply);
    bool on_execute(wire::ByteView body, wire::Output& reply);
    bool on_close(wire::ByteView body, wire::Output& reply);
    static bool broken(wire::Output& reply);
    bool fail(wire::Output& reply, std::string_view sqlstate, std::string_view message);

    BootstrapSteps* steps_;
    std::optional<BootstrapCall> statement_;
    std::optional<Portal> portal_;
    bool skips_to_sync_ = false;
};

}  // namespace pgveil::session
