#include "proxy/session/upstream_login.hpp"

#include "proxy/session/message_reader.hpp"

#include <boost/system/system_error.hpp>

#include <utility>

namespace pgveil::session {

namespace {

// Bounds one message before the server is ready; notices and errors are far below it.
constexpr std::size_t kLoginReplyMax = std::size_t{1} << 16U;

UpstreamHandshake make_handshake(
    const net::Stream& stream,
    const UpstreamTarget& target,
    const UpstreamStartup& startup,
    const ClientIdentity& identity
) {
    UpstreamHandshakeSetup setup;
    setup.user = identity.user;
    setup.users_file = identity.users_file;
    setup.server = target.text();
    setup.credentials = identity.credentials ? &*identity.credentials : nullptr;
    setup.password = startup.password;
    setup.may_send_password = stream.is_tls() || stream.is_local() || startup.allows_cleartext;
    setup.is_tls = stream.is_tls();
    setup.end_point = core::to_bytes(stream.server_end_point());
    setup.nonce = fresh_scram_nonce();
    return UpstreamHandshake(std::move(setup));
}

/// Feeds the server's messages to the handshake until it is ready.
net::Awaitable<Result<void>> converse(
    UpstreamConnection& connection, UpstreamHandshake& handshake, const UpstreamTarget& target
) {
    for (;;) {
        const auto frame =
            co_await next_message(*connection.stream, *connection.input, kLoginReplyMax);
        if (!frame.has_value()) {
            co_return frame.error().is_silent
                ? upstream_unreachable(target, "it closed the connection during the login")
                : frame.error();
        }
        wire::Output answer;
        const auto next = handshake.on_message(*frame, answer);
        if (!next.has_value()) {
            co_return next.error();
        }
        if (*next == UpstreamHandshake::Next::kReady) {
            connection.input->consume_parsed();
            co_return Result<void>();
        }
        connection.stream->send(answer.bytes());
    }
}

}  // namespace

net::Awaitable<Result<UpstreamReady>> connect_upstream(
    net::Loop& loop,
    UpstreamTarget target,
    const UpstreamStartup& startup,
    const ClientIdentity& identity
) {
    auto opened = co_await open_upstream(loop, target);
    if (!opened.has_value()) {
        co_return opened.error();
    }
    UpstreamReady ready;
    ready.connection = std::move(*opened);
    std::string lost;
    try {
        net::Stream& stream = *ready.connection.stream;
        stream.set_deadline(target.connect_timeout);
        wire::Output message;
        wire::append_startup_message(message, startup.version, startup.parameters);
        stream.send(message.bytes());
        UpstreamHandshake handshake = make_handshake(stream, target, startup, identity);
        const auto finished = co_await converse(ready.connection, handshake, target);
        if (!finished.has_value()) {
            co_return finished.error();
        }
        stream.clear_deadline();
        ready.greeting = handshake.take_greeting();
        ready.target = std::move(target);
        co_return Result<UpstreamReady>(std::move(ready));
    } catch (const boost::system::system_error& error) {
        lost = error.code().message();
    }
    co_return upstream_unreachable(target, std::move(lost));
}

}  // namespace pgveil::session
