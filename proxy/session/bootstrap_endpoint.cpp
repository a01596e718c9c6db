#include "proxy/session/bootstrap_endpoint.hpp"

#include "keyshare/store/proxy_custody.hpp"
#include "proxy/session/login.hpp"
#include "proxy/session/message_reader.hpp"
#include "proxy/session/own_greeting.hpp"
#include "proxy/session/service.hpp"
#include "proxy/wire/authentication.hpp"

#include <utility>

namespace pgveil::session {

namespace {

// A hand-over fits in a few kilobytes; this bounds what a logged-in tenant can make us hold.
constexpr std::size_t kBootstrapMessageMax = std::size_t{1} << 20U;
constexpr net::Duration kIdleTime{600000};

std::string_view sqlstate_of(store::ErrorCode code) {
    switch (code) {
        case store::ErrorCode::kRefused: return "22023";
        case store::ErrorCode::kForged: return "28000";
        case store::ErrorCode::kOutOfOrder:
        case store::ErrorCode::kNotBootstrapped: return "55000";
        case store::ErrorCode::kUnavailable:
        case store::ErrorCode::kBroken: return "58030";
        case store::ErrorCode::kSuperseded: return "40001";
        case store::ErrorCode::kFailed: return "XX000";
    }
    return "XX000";
}

/// Without the port, which changes with every attempt.
std::string source_of(const net::Stream& client) {
    const std::string& address = client.peer_address();
    return address.substr(0, address.rfind(':'));
}

void queue_greeting(net::Stream& client) {
    wire::Output greeting;
    wire::append_authentication(greeting, wire::AuthenticationType::kOk);
    append_own_greeting(greeting);
    client.queue(greeting.bytes());
}

std::optional<LoginError> reason_to_refuse(
    const ClientStartup& startup, const net::Stream& client
) {
    if (startup.user != kBootstrapUser) {
        return refuse(
            "0A000",
            "database \"pgveil\" is the proxy itself: here only user \"bootstrap\" can "
            "log in"
        );
    }
    if (client.server_end_point().empty()) {
        LoginError error = refuse("28000", "the bootstrap needs TLS and channel binding");
        error.hint = "Connect with sslmode=verify-full channel_binding=require.";
        return error;
    }
    return std::nullopt;
}

/// SCRAM-SHA-256-PLUS with the one-time password.
net::Awaitable<Result<void>> log_in(
    net::Stream& client, net::Buffer& input, BootstrapSteps& steps, BootstrapThrottle& throttle
) {
    const auto verifier_text = steps.verifier();
    const auto verifier = verifier_text ? parse_scram_verifier(*verifier_text) : std::nullopt;
    if (!verifier) {
        co_return refuse(
            "55000",
            "the bootstrap of this proxy is closed",
            "A tenant has taken it over; there is no one-time password any more."
        );
    }
    ScramServerSetup setup;
    setup.user = kBootstrapUser;
    setup.verifier = &*verifier;
    setup.requires_binding = true;
    const auto done = co_await exchange_scram(client, input, std::move(setup));
    if (done.has_value()) {
        throttle.on_right_password(source_of(client));
        co_return Result<void>();
    }
    if (done.error().sqlstate == kWrongPasswordState) {
        const BootstrapThrottle::Wait wait =
            throttle.on_wrong_password(source_of(client), BootstrapThrottle::Clock::now());
        co_await client.loop().sleep(wait.delay());
    }
    co_return done.error();
}

net::Awaitable<void> converse(net::Stream& client, net::Buffer& input, BootstrapSteps& steps) {
    BootstrapConversation conversation(steps);
    bool goes_on = true;
    while (goes_on) {
        client.set_deadline(kIdleTime);
        const auto frame = co_await next_message(client, input, kBootstrapMessageMax);
        if (!frame.has_value()) {
            co_return co_await end_login(client, frame.error());
        }
        wire::Output reply;
        goes_on = conversation.on_message(*frame, reply);
        client.send(reply.bytes());
        co_await client.drained();
    }
}

}  // namespace

bool is_for_proxy(const ClientStartup& startup) {
    return startup.database == kBootstrapDatabase;
}

CustodyBootstrap::CustodyBootstrap(const Service& service, UnixTime now)
    : service_(&service), now_(std::move(now)) {}

std::optional<std::string> CustodyBootstrap::verifier() const {
    return service_->custody->bootstrap_verifier();
}

BootstrapSteps::Answer CustodyBootstrap::call(std::string_view step, std::string_view argument) {
    auto answer = service_->custody->bootstrap_call(step, argument, now_());
    audit::Record event;
    event.event = "bootstrap";
    event.role = kBootstrapUser;
    event.what = audit::harmless(step);
    event.result = answer.has_value() ? "ok" : sqlstate_of(answer.error().code);
    record(*service_, std::move(event));
    if (!answer.has_value()) {
        return Refusal(std::string(sqlstate_of(answer.error().code)), answer.error().message);
    }
    return *std::move(answer);
}

net::Awaitable<void> serve_bootstrap(
    net::Stream& client,
    net::Buffer& input,
    const ClientStartup& startup,
    BootstrapSteps& steps,
    BootstrapThrottle& throttle
) {
    if (auto refusal = reason_to_refuse(startup, client)) {
        co_return co_await end_login(client, *std::move(refusal));
    }
    const auto logged_in = co_await log_in(client, input, steps, throttle);
    if (!logged_in.has_value()) {
        co_return co_await end_login(client, logged_in.error());
    }
    queue_greeting(client);
    client.flush();
    co_await converse(client, input, steps);
    client.close();
}

}  // namespace pgveil::session
