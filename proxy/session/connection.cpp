#include "proxy/session/connection.hpp"

#include "proxy/log/log.hpp"
#include "proxy/session/bootstrap_endpoint.hpp"
#include "proxy/session/console_endpoint.hpp"
#include "proxy/session/message_reader.hpp"
#include "proxy/session/session.hpp"

#include <boost/system/system_error.hpp>

#include <new>
#include <utility>
#include <variant>

namespace pgveil::session {

namespace {

void log_connection(const net::Stream& client, std::string_view event) {
    log::error("{client}: {event}", {{"client", client.peer_address()}, {"event", event}});
}

void log_lost(const net::Stream& client, const boost::system::system_error& lost) {
    log::debug(
        "{client}: connection lost: {reason}",
        {{"client", client.peer_address()}, {"reason", lost.code().message()}}
    );
}

net::Awaitable<void> serve_for_proxy(
    Worker& worker, net::Stream& client, net::Buffer& input, ClientStartup startup
) {
    if (startup.user != kBootstrapUser) {
        std::string user = startup.user;
        startup = ClientStartup();
        co_await serve_console(worker, client, input, std::move(user));
        co_return;
    }
    Service& service = worker.service();
    CustodyBootstrap steps(service, unix_time_s);
    co_await serve_bootstrap(client, input, startup, steps, service.throttle);
}

/// Unix sockets have no address to tell their clients apart by.
Counter::Place place_of(Counter& addresses, const net::Stream& client) {
    return client.is_local() ? Counter::Place() : addresses.enter(host_of(client.peer_address()));
}

/// accept_startup, which strangers have to get through while there is room for them.
net::Awaitable<Result<Accepted>> meet(
    Worker& worker, net::Stream& client, net::Buffer& input, const StartupRules& rules
) {
    const Strangers::Place place = worker.strangers().enter(client);
    auto accepted = co_await accept_startup(client, input, rules);
    co_return accepted;
}

net::Awaitable<void> serve(Worker& worker, net::Stream& client, net::Buffer& input) {
    const SnapshotPtr snapshot = worker.snapshot();
    Counter::Place address = place_of(worker.service().admission.addresses, client);
    auto accepted = co_await meet(worker, client, input, snapshot->rules);
    if (!accepted.has_value()) {
        LoginError error = std::move(accepted.error());
        worker.count_failed_login(error);
        co_await end_login(client, std::move(error));
        co_return;
    }
    if (auto* const cancel = std::get_if<CancelKey>(&*accepted)) {
        address = Counter::Place();
        worker.tally().cancels.add();
        CancelKey key = std::move(*cancel);
        std::vector<UpstreamTarget> targets = snapshot->upstream.targets;
        if (const auto route = worker.service().routes.find(key)) {
            targets.assign(1, *route);
        }
        co_await forward_cancel(client, std::move(key), std::move(targets), worker.cancels());
        co_return;
    }
    const std::uint32_t limit = snapshot->settings.admission.sessions_per_address;
    if (address.exceeds(limit)) {
        address = Counter::Place();  // who is told to go does not stand in the way of the next
        LoginError error = too_many_from(host_of(client.peer_address()), limit);
        worker.count_failed_login(error);
        co_await end_login(client, std::move(error));
        co_return;
    }
    ClientStartup startup = std::move(std::get<ClientStartup>(*accepted));
    if (is_for_proxy(startup)) {
        co_await serve_for_proxy(worker, client, input, std::move(startup));
        co_return;
    }
    Session session(worker, client, input);
    co_await session.run(std::move(startup));
}

}  // namespace

net::Awaitable<void> run_session(Worker& worker, std::unique_ptr<net::Stream> client) {
    try {
        net::Buffer input(worker.loop().buffers());
        try {
            co_await serve(worker, *client, input);
        } catch (const std::bad_alloc&) {
            log_connection(*client, no_memory().message);
            wire::Output farewell;
            append_fatal(farewell, no_memory());
            client->send(farewell.bytes());
        }
    } catch (const boost::system::system_error& lost) {
        log_lost(*client, lost);
    }
    client->close();
}

}  // namespace pgveil::session
