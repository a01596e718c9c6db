#include "test/proxy/session/small_proxy.hpp"

#include "keyshare/core/invariant.hpp"
#include "proxy/session/message_reader.hpp"
#include "proxy/wire/backend.hpp"

#include <boost/system/system_error.hpp>

#include <utility>

namespace pgveil::session::testing_support {

namespace {

struct Pair {
    net::Stream* client;
    net::Buffer* client_input;
    UpstreamConnection upstream;
    net::Waiter first_done;
    bool replies_are_over = false;

    Pair(net::Stream& stream, net::Buffer& input, UpstreamConnection connection)
        : client(&stream),
          client_input(&input),
          upstream(std::move(connection)),
          first_done(stream.loop()) {}
};

/// Copies until one side ends; closing both lets the pump of the other direction end, too.
net::Awaitable<void> pump(Pair& pair, net::Stream& from, net::Buffer& input, net::Stream& to) {
    try {
        for (;;) {
            input.advance(input.unparsed().size());
            to.send(input.parsed());
            input.consume_parsed();
            co_await to.drained(65536);
            co_await from.readable();
            if (from.read_some(input).end) {
                break;
            }
        }
    } catch (const boost::system::system_error&) {
        // Either side was lost or closed by the other pump: the same as an end.
        to.close();
    }
    pair.client->close();
    pair.upstream.stream->close();
}

net::Awaitable<void> pump_replies(Pair& pair) {
    co_await pump(pair, *pair.upstream.stream, *pair.upstream.input, *pair.client);
    pair.replies_are_over = true;
    pair.first_done.wake();
}

}  // namespace

SmallProxy::SmallProxy(Setup setup) : setup_(std::move(setup)) {
    const net::Address address{"127.0.0.1", 0};
    auto listener =
        net::Listener::open(loop_, address, [this](std::unique_ptr<net::Stream> client) {
            ++sessions_;
            loop_.spawn(serve(std::move(client)));
        });
    core::invariant(listener.has_value(), "a loopback port is free");
    listener_ = std::move(*listener);
    port_ = listener_->port();
    thread_ = std::thread([this] { loop_.run(); });
}

SmallProxy::~SmallProxy() {
    loop_.stop();
    thread_.join();
}

net::Awaitable<void> SmallProxy::serve(std::unique_ptr<net::Stream> client) {
    try {
        co_await run(*client);
    } catch (const boost::system::system_error&) {
        client->close();
    }
    client.reset();
    --sessions_;
}

net::Awaitable<void> SmallProxy::run(net::Stream& client) {
    net::Buffer input(client.loop().buffers());
    auto accepted = co_await accept_startup(client, input, setup_.rules);
    if (!accepted.has_value()) {
        co_return co_await end_login(client, accepted.error());
    }
    if (auto* const key = std::get_if<CancelKey>(&*accepted)) {
        std::vector<UpstreamTarget> targets(1, setup_.target);
        co_return co_await forward_cancel(client, std::move(*key), std::move(targets), gate_);
    }
    ClientStartup startup = std::move(std::get<ClientStartup>(*accepted));
    if (is_for_proxy(startup)) {
        co_return co_await serve_bootstrap(client, input, startup, *setup_.steps, throttle_);
    }
    co_await relay(client, input, std::move(startup));
}

net::Awaitable<void> SmallProxy::relay(
    net::Stream& client, net::Buffer& input, ClientStartup startup
) {
    KnownSecret secret;
    secret.users = setup_.users;
    secret.source = setup_.users->path();
    auto identity = co_await authenticate_client(client, input, startup.user, std::move(secret));
    if (!identity.has_value()) {
        co_return co_await end_login(client, identity.error());
    }
    UpstreamStartup asked;
    asked.version = startup.version;
    asked.parameters = startup.parameters;
    auto upstream = co_await connect_upstream(client.loop(), setup_.target, asked, *identity);
    if (!upstream.has_value()) {
        co_return co_await end_login(client, upstream.error());
    }
    wire::Output ready;
    ready.append(upstream->greeting.frames.bytes());
    wire::append_ready_for_query(ready, upstream->greeting.status);
    client.send(ready.bytes());
    Pair pair(client, input, std::move(upstream->connection));
    client.loop().spawn(pump_replies(pair));
    co_await pump(pair, client, input, *pair.upstream.stream);
    if (!pair.replies_are_over) {
        co_await pair.first_done.wait();
    }
}

}  // namespace pgveil::session::testing_support
