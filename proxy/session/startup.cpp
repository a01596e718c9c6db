#include "proxy/session/startup.hpp"

#include "proxy/session/message_reader.hpp"
#include "proxy/wire/authentication.hpp"
#include "proxy/wire/options.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace pgveil::session {

namespace {

constexpr std::uint8_t kTlsHandshakeByte = 0x16;
constexpr std::string_view kAlpn = "postgresql";
constexpr std::string_view kProtocolOption = "_pq_.";
constexpr std::string_view kOurPrefix = "pgveil.";
constexpr std::array<std::uint8_t, 1> kYes{'S'};
constexpr std::array<std::uint8_t, 1> kNo{'N'};

wire::WipedText folded(std::string_view text) {
    wire::WipedText result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    return result;
}

bool is_our_name(std::string_view name) {
    return folded(name).starts_with(kOurPrefix);
}

bool options_name_us(std::string_view options) {
    const auto switches = wire::parse_options(options);
    if (!switches.has_value()) {
        return folded(options).find(kOurPrefix) != wire::WipedText::npos;
    }
    return std::any_of(switches->begin(), switches->end(), [](const wire::OptionSwitch& each) {
        return each.sets_parameter() && is_our_name(each.name);
    });
}

LoginError unsupported_protocol(wire::ByteView packet) {
    constexpr unsigned kMajorShift = 16;
    constexpr std::uint32_t kMinorMask = 0xFFFF;
    const std::uint32_t code = wire::startup_code(packet);
    return refuse(
        "0A000",
        "unsupported frontend protocol " + std::to_string(code >> kMajorShift) + "." +
            std::to_string(code & kMinorMask) + ": server supports 3.0 to 3.2"
    );
}

LoginError shares_exposed() {
    LoginError error = refuse(
        "28000",
        "shares were sent over a connection without TLS",
        "The app share of this user is now exposed to whoever can read the network."
    );
    error.hint =
        "Connect with sslmode=require or stronger, and have the tenant run change-key for this "
        "user.";
    return error;
}

LoginError tls_required() {
    LoginError error = refuse("28000", "this proxy accepts only connections with TLS");
    error.hint = "Connect with sslmode=require or stronger.";
    return error;
}

/// PostgreSQL cuts longer names: policy and server must mean the same database.
constexpr std::size_t kNameBytesMax = 63;

/// The user's name if the client gave none, as at the server.
std::string_view database_of(const wire::StartupMessage& message) {
    const std::string_view database = message.find("database").value_or("");
    const std::string_view user = message.find("user").value_or("");
    return (database.empty() ? user : database).substr(0, kNameBytesMax);
}

Replication replication_in(const wire::StartupMessage& message) {
    return replication_of(message.find("replication").value_or("off"));
}

/// Whoever sends on without waiting for the answer may be somebody in the middle, whose bytes would
/// later count as the client's (CVE-2021-23214). In PostgreSQL's words.
LoginError unencrypted_bytes(std::string_view request) {
    return refuse(
        "08P01",
        "received unencrypted data after " + std::string(request) + " request",
        "This could be either a client-software bug or evidence of an attempted man-in-the-middle "
        "attack."
    );
}

std::optional<LoginError> reason_to_refuse(
    const wire::StartupMessage& message, bool is_private, const StartupRules& rules
) {
    const bool exposes =
        rules.exposes_shares ? rules.exposes_shares(message) : carries_shares(message);
    if (!is_private && exposes) {
        return shares_exposed();
    }
    if (!is_private && rules.requires_tls) {
        return tls_required();
    }
    if (message.find("user").value_or("").empty()) {
        return refuse("28000", "no PostgreSQL user name specified in startup packet");
    }
    return reason_against(replication_in(message), database_of(message), rules.policy.get());
}

/// What was asked for before the StartupMessage: each kind of encryption once.
struct Asked {
    bool tls = false;
    bool gss = false;
};

enum class Opening { kBeginTls, kGoOnPlain, kIsDecided };

/// The answer to a request for encryption; kIsDecided for the packets that end the opening.
Result<Opening> answer_opening(
    const wire::StartupPacket& packet, Asked& asked, const net::Stream& client, bool can_tls
) {
    if (std::holds_alternative<wire::GSSENCRequest>(packet)) {
        if (std::exchange(asked.gss, true) || client.is_tls()) {
            return silence("repeated negotiation of encryption");
        }
        return Opening::kGoOnPlain;
    }
    if (std::holds_alternative<wire::SSLRequest>(packet)) {
        if (std::exchange(asked.tls, true) || client.is_tls()) {
            return silence("repeated negotiation of encryption");
        }
        return can_tls ? Opening::kBeginTls : Opening::kGoOnPlain;
    }
    return Opening::kIsDecided;
}

bool can_use_tls(const net::Stream& client, const StartupRules& rules) {
    return rules.tls != nullptr && !client.is_local();
}

net::Awaitable<Result<void>> begin_tls(
    net::Stream& client, const net::Buffer& input, const StartupRules& rules
) {
    const auto upgraded = co_await client.upgrade_to_tls_server(rules.tls, input);
    if (!upgraded.has_value()) {
        co_return silence(upgraded.error().message);
    }
    co_return Result<void>();
}

/// PostgreSQL 17's sslnegotiation=direct: the handshake comes first, without SSLRequest.
net::Awaitable<Result<void>> accept_direct_tls(
    net::Stream& client, const net::Buffer& input, const StartupRules& rules
) {
    if (!can_use_tls(client, rules)) {
        co_return Result<void>();
    }
    const auto first_byte = co_await client.peek_first_byte();
    if (!first_byte) {
        co_return silence();
    }
    if (*first_byte != kTlsHandshakeByte) {
        co_return Result<void>();
    }
    auto upgraded = co_await begin_tls(client, input, rules);
    if (upgraded.has_value() && client.application_protocol() != kAlpn) {
        co_return silence("direct TLS connection without ALPN \"postgresql\"");
    }
    co_return upgraded;
}

void queue_negotiation(net::Stream& client, const wire::StartupMessage& message) {
    const Negotiation negotiation = negotiate(message);
    if (negotiation.needed) {
        wire::Output answer;
        wire::append_negotiate_protocol_version(
            answer, negotiation.version, negotiation.unrecognized
        );
        client.queue(answer.bytes());
    }
}

Result<Accepted> decide(
    net::Stream& client,
    wire::ByteView bytes,
    const wire::StartupPacket& packet,
    const StartupRules& rules
) {
    if (const auto* const cancel = std::get_if<wire::CancelRequest>(&packet)) {
        return Accepted(CancelKey{cancel->process_id, core::to_bytes(cancel->secret)});
    }
    const bool is_private = client.is_tls() || client.is_local();
    auto startup = check_startup(core::SecretBytes::copy_of(bytes), is_private, rules);
    if (!startup.has_value()) {
        return startup.error();
    }
    queue_negotiation(client, std::get<wire::StartupMessage>(packet));
    return Accepted(std::move(*startup));
}

LoginError undecodable(wire::DecodeError error, wire::ByteView bytes) {
    if (error == wire::DecodeError::kUnsupportedProtocol) {
        return unsupported_protocol(bytes);
    }
    return refuse("08P01", "invalid startup packet layout: " + std::string(wire::reason(error)));
}

}  // namespace

net::Awaitable<Result<Accepted>> accept_startup(
    net::Stream& client, net::Buffer& input, const StartupRules& rules
) {
    client.set_deadline(rules.login_timeout);
    Asked asked;
    const bool can_tls = can_use_tls(client, rules);
    auto ready = co_await accept_direct_tls(client, input, rules);
    while (ready.has_value()) {
        const auto bytes = co_await next_startup_packet(client, input, rules.packet_bytes_max);
        if (!bytes.has_value()) {
            co_return bytes.error();
        }
        const auto packet = wire::decode_startup(*bytes);
        if (!packet.has_value()) {
            co_return undecodable(packet.error(), *bytes);
        }
        const auto opening = answer_opening(*packet, asked, client, can_tls);
        if (!opening.has_value()) {
            co_return opening.error();
        }
        if (*opening == Opening::kIsDecided) {
            auto accepted = decide(client, *bytes, *packet, rules);
            input.consume_parsed();
            co_return accepted;
        }
        const bool is_gss = std::holds_alternative<wire::GSSENCRequest>(*packet);
        input.consume_parsed();
        client.send(*opening == Opening::kBeginTls ? kYes : kNo);
        if (*opening == Opening::kBeginTls) {
            ready = co_await begin_tls(client, input, rules);
        } else if (!input.empty()) {
            co_return unencrypted_bytes(is_gss ? "GSSAPI encryption" : "SSL");
        }
    }
    co_return ready.error();
}

bool carries_shares(const wire::StartupMessage& message) {
    return std::any_of(
        message.parameters.begin(),
        message.parameters.end(),
        [](const wire::StartupParameter& parameter) {
            return is_our_name(parameter.name) ||
                   (parameter.name == "options" && options_name_us(parameter.value));
        }
    );
}

Negotiation negotiate(const wire::StartupMessage& message) {
    Negotiation negotiation;
    for (const wire::StartupParameter& parameter : message.parameters) {
        if (parameter.name.starts_with(kProtocolOption)) {
            negotiation.unrecognized.push_back(parameter.name);
        }
    }
    negotiation.version =
        message.version >= wire::kProtocol32 ? wire::kProtocol32 : wire::kProtocol30;
    negotiation.needed =
        message.version != negotiation.version || !negotiation.unrecognized.empty();
    return negotiation;
}

Result<ClientStartup> check_startup(
    core::SecretBytes packet, bool is_private, const StartupRules& rules
) {
    ClientStartup startup;
    startup.packet = std::move(packet);
    const auto decoded = wire::decode_startup(startup.packet.reveal());
    if (!decoded.has_value()) {
        return undecodable(decoded.error(), startup.packet.reveal());
    }
    const auto* const message = std::get_if<wire::StartupMessage>(&*decoded);
    if (message == nullptr) {
        return silence("not a StartupMessage");
    }
    if (auto refusal = reason_to_refuse(*message, is_private, rules)) {
        return *std::move(refusal);
    }
    startup.is_private = is_private;
    startup.version = negotiate(*message).version;
    startup.user = *message->find("user");
    startup.database = database_of(*message);
    startup.replication = replication_in(*message);
    for (const wire::StartupParameter& parameter : message->parameters) {
        if (!parameter.name.starts_with(kProtocolOption)) {
            startup.parameters.push_back(parameter);
        }
    }
    return startup;
}

}  // namespace pgveil::session
