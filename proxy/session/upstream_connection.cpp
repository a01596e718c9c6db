#include "proxy/session/upstream_connection.hpp"

#include "net/connect.hpp"
#include "proxy/wire/startup.hpp"

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <utility>

namespace pgveil::session {

namespace {

LoginError tls_not_offered(const UpstreamTarget& target) {
    LoginError error =
        refuse("08006", std::string(target.role) + " \"" + target.text() + "\" does not offer TLS");
    error.hint = target.tls_hint;
    return error;
}

/// The one byte that answers an SSLRequest; consumed.
net::Awaitable<std::uint8_t> read_answer(net::Stream& stream, net::Buffer& input) {
    bool has_ended = false;
    while (input.unparsed().empty() && !has_ended) {
        co_await stream.readable();
        has_ended = stream.read_some(input).end;
    }
    const std::uint8_t answer = input.unparsed().empty() ? 0 : input.unparsed().front();
    input.advance(std::min<std::size_t>(1, input.unparsed().size()));
    input.consume_parsed();
    co_return answer;
}

net::Awaitable<Result<void>> begin_tls(
    UpstreamConnection& connection, const UpstreamTarget& target
) {
    wire::Output request;
    wire::append_ssl_request(request);
    connection.stream->send(request.bytes());
    const std::uint8_t answer = co_await read_answer(*connection.stream, *connection.input);
    if (answer == 0) {
        co_return upstream_unreachable(target, "it closed the connection before TLS began");
    }
    if (answer != 'S') {
        co_return tls_not_offered(target);
    }
    const auto upgraded = co_await connection.stream->upgrade_to_tls_client(
        target.tls, target.host, *connection.input
    );
    if (!upgraded.has_value()) {
        co_return refuse(
            "08006",
            "no TLS connection to " + std::string(target.role) + " \"" + target.text() + "\"",
            upgraded.error().message
        );
    }
    co_return Result<void>();
}

}  // namespace

std::string UpstreamTarget::text() const {
    return host + ":" + std::to_string(port);
}

LoginError upstream_unreachable(const UpstreamTarget& target, std::string reason) {
    return refuse(
        "08006",
        "could not reach " + std::string(target.role) + " \"" + target.text() + "\"",
        std::move(reason)
    );
}

net::Awaitable<Result<UpstreamConnection>> open_upstream(net::Loop& loop, UpstreamTarget target) {
    UpstreamConnection connection;
    std::string lost;
    try {
        auto connected =
            co_await net::connect(loop, target.host, target.port, target.connect_timeout);
        if (!connected.has_value()) {
            co_return upstream_unreachable(target, connected.error().message);
        }
        connection.stream = std::move(*connected);
        connection.input = std::make_unique<net::Buffer>(loop.buffers());
        if (target.uses_tls()) {
            connection.stream->set_deadline(target.connect_timeout);
            const auto secured = co_await begin_tls(connection, target);
            if (!secured.has_value()) {
                co_return secured.error();
            }
            connection.stream->clear_deadline();
        }
        co_return Result<UpstreamConnection>(std::move(connection));
    } catch (const boost::system::system_error& error) {
        lost = error.code().message();
    }
    co_return upstream_unreachable(target, std::move(lost));
}

}  // namespace pgveil::session
