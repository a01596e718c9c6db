#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "proxy/session/bootstrap_statement.hpp"
#include "proxy/session/scram_client.hpp"
#include "proxy/session/scram_server.hpp"
#include "proxy/session/startup.hpp"
#include "proxy/session/upstream_handshake.hpp"
#include "proxy/session/users_file.hpp"
#include "proxy/wire/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace pgveil;
using namespace pgveil::session;

constexpr std::uint32_t kIterations = 4096;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

core::Bytes salt() {
    return core::Bytes(16, 0x5A);
}

const ScramPasswordKeys& password_keys() {
    static const ScramPasswordKeys kKeys =
        *keys_of_password(core::as_bytes("a password nobody guesses"), salt(), kIterations);
    return kKeys;
}

const ScramVerifier& verifier() {
    static const ScramVerifier kVerifier =
        *verifier_of_password(core::as_bytes("a password nobody guesses"), salt(), kIterations);
    return kVerifier;
}

const ScramCredentials& credentials() {
    static const ScramCredentials kCredentials{
        password_keys().client_key.duplicate(),
        password_keys().server_key.duplicate(),
        salt(),
        kIterations};
    return kCredentials;
}

/// The text up to the first NUL, and what comes behind it.
std::pair<std::string_view, std::string_view> in_two(std::string_view text) {
    const std::size_t end = text.find('\0');
    return end == std::string_view::npos ? std::pair(text, std::string_view())
                                         : std::pair(text.substr(0, end), text.substr(end + 1));
}

/// A client without the password gets as far as its proof.
void check_server(std::string_view text, bool is_tls) {
    ScramServerSetup setup;
    setup.user = "app";
    setup.verifier = &verifier();
    setup.end_point = is_tls ? core::Bytes(32, 0xC5) : core::Bytes();
    setup.nonce = "server-nonce";
    ScramServer server(std::move(setup));
    const auto [first, final] = in_two(text);
    const auto answered = server.on_client_first(is_tls ? kScramSha256Plus : kScramSha256, first);
    if (answered.has_value()) {
        require(!server.on_client_final(final).has_value());
    }
}

/// A server without the verifier never proves itself.
void check_client(std::string_view text) {
    ScramClientSetup setup;
    setup.user = "app";
    setup.users_file = "users.txt";
    setup.credentials = &credentials();
    setup.nonce = "client-nonce";
    ScramClient client(std::move(setup));
    static_cast<void>(client.first_message());
    const auto [first, final] = in_two(text);
    if (client.on_server_first(first).has_value()) {
        require(!client.on_server_final(final).has_value());
    }
}

void check_handshake(core::ByteView bytes) {
    UpstreamHandshakeSetup setup;
    setup.user = "app";
    setup.users_file = "users.txt";
    setup.server = "db:5432";
    setup.credentials = &credentials();
    setup.nonce = "client-nonce";
    UpstreamHandshake handshake(std::move(setup));
    wire::FrameReader frames(bytes, bytes.size() + 1);
    wire::Output to_upstream;
    while (frames.peek().status == wire::PeekStatus::kWhole) {
        const auto next = handshake.on_message(frames.take(), to_upstream);
        if (!next.has_value()) {
            require(next.error().is_silent || !next.error().summary().empty());
            return;
        }
        if (*next == UpstreamHandshake::Next::kReady) {
            static_cast<void>(handshake.take_greeting());
            return;
        }
    }
}

void check_startup_packet(core::ByteView bytes, bool is_tls) {
    StartupRules rules;
    rules.requires_tls = false;
    const auto accepted = check_startup(core::SecretBytes::copy_of(bytes), is_tls, rules);
    require(!accepted.has_value() || !accepted->user.empty());
    const auto packet = wire::decode_startup(bytes);
    if (!packet.has_value()) {
        return;
    }
    if (const auto* const message = std::get_if<wire::StartupMessage>(&*packet)) {
        static_cast<void>(negotiate(*message));
        require(is_tls || !accepted.has_value() || !carries_shares(*message));
    }
}

/// What is accepted as a verifier has one form.
void check_files(std::string_view text) {
    const auto users = parse_users("users.txt", text);
    require(users.has_value() ? *users != nullptr : !users.error().message.empty());
    const auto parsed = parse_scram_verifier(text);
    if (parsed.has_value()) {
        const auto again = parse_scram_verifier(to_text(*parsed));
        require(again.has_value() && to_text(*again) == to_text(*parsed));
    }
    if (const auto call = parse_bootstrap_call(text)) {
        require(!is_empty_statement(text));
        static_cast<void>(call->parameter_count());
    }
}

}  // namespace

// The first byte says who speaks; messages of one side are separated by NUL.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const core::ByteView rest = core::ByteView(bytes, size).subspan(1);
    const std::string_view text = core::as_text(rest);
    switch (bytes[0] % 7) {
        case 0: check_server(text, false); break;
        case 1: check_server(text, true); break;
        case 2: check_client(text); break;
        case 3: check_handshake(rest); break;
        case 4: check_startup_packet(rest, false); break;
        case 5: check_startup_packet(rest, true); break;
        default: check_files(text); break;
    }
    return 0;
}
