#include "proxy/session/login.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/random.hpp"
#include "proxy/session/message_reader.hpp"
#include "proxy/wire/authentication.hpp"
#include "proxy/wire/password.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace pgveil::session {

namespace {

// The mechanism's name and two lengths stand around a SASL message.
constexpr std::size_t kLoginMessageMax = kSaslMessageSizeMax + 128;

void queue_offer(net::Stream& client, const ScramServerSetup& setup) {
    std::vector<std::string_view> mechanisms;
    if (!setup.end_point.empty()) {
        mechanisms.push_back(kScramSha256Plus);
    }
    if (!setup.requires_binding) {
        mechanisms.push_back(kScramSha256);
    }
    wire::Output offer;
    wire::append_authentication_sasl(offer, mechanisms);
    client.queue(offer.bytes());
}

void queue_sasl(net::Stream& client, wire::AuthenticationType type, std::string_view message) {
    wire::Output answer;
    wire::append_authentication(answer, type, wire::as_bytes(message));
    client.queue(answer.bytes());
}

/// The body of the client's next 'p' message.
net::Awaitable<Result<wire::ByteView>> next_response(net::Stream& client, net::Buffer& input) {
    client.flush();
    const auto frame = co_await next_message(client, input, kLoginMessageMax);
    if (!frame.has_value()) {
        co_return frame.error();
    }
    const wire::FrontendType type = wire::frontend_type(frame->type);
    if (type == wire::FrontendType::kTerminate) {
        co_return silence();
    }
    if (type != wire::FrontendType::kPasswordMessage) {
        co_return refuse(
            "08P01", "expected SASL response, got message type " + std::to_string(frame->type)
        );
    }
    co_return frame->body;
}

Result<std::string> answer_initial(ScramServer& scram, wire::ByteView body) {
    const auto initial = wire::decode_sasl_initial_response(body);
    if (!initial.has_value()) {
        return refuse("08P01", "invalid SASL response");
    }
    const wire::ByteView message = initial->response.value_or(wire::ByteView());
    return scram.on_client_first(initial->mechanism, wire::as_text(message));
}

Result<ScramServer::Done> answer_final(ScramServer& scram, wire::ByteView body) {
    const auto response = wire::decode_sasl_response(body);
    if (!response.has_value()) {
        return refuse("08P01", "invalid SASL response");
    }
    return scram.on_client_final(wire::as_text(response->response));
}

}  // namespace

std::string fresh_scram_nonce() {
    core::Bytes nonce(kScramNonceSize);
    core::system_random().fill(nonce);
    return core::base64_encode(nonce);
}

net::Awaitable<Result<ScramServer::Done>> exchange_scram(
    net::Stream& client, net::Buffer& input, ScramServerSetup setup
) {
    setup.end_point = core::to_bytes(client.server_end_point());
    setup.nonce = fresh_scram_nonce();
    queue_offer(client, setup);
    ScramServer scram(std::move(setup));

    const auto first = co_await next_response(client, input);
    if (!first.has_value()) {
        co_return first.error();
    }
    const auto challenge = answer_initial(scram, *first);
    if (!challenge.has_value()) {
        co_return challenge.error();
    }
    queue_sasl(client, wire::AuthenticationType::kSASLContinue, *challenge);

    const auto last = co_await next_response(client, input);
    if (!last.has_value()) {
        co_return last.error();
    }
    auto done = answer_final(scram, *last);
    input.consume_parsed();
    if (done.has_value()) {
        queue_sasl(client, wire::AuthenticationType::kSASLFinal, done->server_final);
    }
    co_return done;
}

void welcome(net::Stream& client) {
    queue_sasl(client, wire::AuthenticationType::kOk, {});
    client.flush();
    client.clear_deadline();
}

net::Awaitable<Result<ClientIdentity>> authenticate_client(
    net::Stream& client, net::Buffer& input, std::string user, KnownSecret secret
) {
    const ScramVerifier* const known = secret.found ? secret.found.get() : secret.users->find(user);
    const std::optional<ScramVerifier> mock =
        known == nullptr ? std::optional<ScramVerifier>(secret.users->mock(user)) : std::nullopt;
    const ScramVerifier& verifier = known == nullptr ? *mock : *known;
    ScramServerSetup setup;
    setup.user = user;
    setup.verifier = &verifier;
    setup.is_mock = known == nullptr;
    auto done = co_await exchange_scram(client, input, std::move(setup));
    if (!done.has_value()) {
        co_return done.error();
    }
    welcome(client);
    ClientIdentity identity{
        std::move(user),
        std::move(secret.source),
        ScramCredentials{
            std::move(done->client_key),
            verifier.server_key.duplicate(),
            verifier.salt,
            verifier.iterations}};
    co_return identity;
}

}  // namespace pgveil::session
