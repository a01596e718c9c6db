#include "proxy/agent/session.hpp"

#include "net/race.hpp"
#include "proxy/log/log.hpp"
#include "proxy/session/cancel.hpp"
#include "proxy/session/message_reader.hpp"

#include <chrono>
#include <new>
#include <optional>
#include <utility>
#include <variant>

namespace pgveil::agent {

namespace {

using session::LoginError;

/// A pump stops reading while the other side has more than this to take, in bytes.
constexpr std::size_t kPendingOutputMax = std::size_t{256} * 1024;

/// The proxy's virtual database (DESIGN section 2): no sessions with shares.
constexpr std::string_view kConsole = "pgveil";

std::int64_t unix_time_s() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

void send(net::Stream& stream, wire::Output& output) {
    if (!output.empty()) {
        stream.send(output.bytes());
        output.clear();
    }
}

LoginError nobody_for(const std::string& role) {
    LoginError error =
        session::refuse("28000", "pgveil-agent has no user for role \"" + role + "\"");
    error.hint =
        "Add the role, or \"*\", to \"users\" in the agent's settings, and reload it (SIGHUP).";
    return error;
}

LoginError proxy_lost(std::string reason) {
    LoginError error =
        session::refuse("08006", "the connection to the pgveil proxy was lost", std::move(reason));
    error.hint =
        "Connect again. Look whether the last COMMIT took effect if its answer has not come.";
    return error;
}

LoginError no_user_any_more(const std::string& role) {
    return session::refuse(
        "57P01",
        "terminating connection because pgveil-agent has no user for role \"" + role + "\" any more"
    );
}

LoginError no_channel() {
    LoginError error = session::refuse(
        "08006", "pgveil-agent cannot bind tokens to its connection to the proxy (tokens.channel)"
    );
    error.hint = "Give the agent a proxy over TLS 1.3, or take \"channel\" out of its settings.";
    return error;
}

LoginError too_many_sessions() {
    LoginError error = session::refuse("53300", "sorry, too many clients already");
    error.hint = "Raise limits.sessions in the settings of pgveil-agent.";
    return error;
}

LoginError has_shares_already(const share::UserKey& key) {
    LoginError error = session::refuse(
        "28000", "pgveil-agent gives this session the shares of user " + key.user_id
    );
    error.hint = "Leave every pgveil. parameter out of the connection string and PGOPTIONS.";
    return error;
}

bool brings_shares(const session::ClientStartup& startup) {
    const auto packet = wire::decode_startup(startup.packet.reveal());
    const auto* const message =
        packet.has_value() ? std::get_if<wire::StartupMessage>(&*packet) : nullptr;
    return message == nullptr || session::carries_shares(*message);
}

std::optional<LoginError> reason_to_refuse(Server& server, const session::ClientStartup& startup) {
    const auto account = server.snapshot()->accounts.find(startup.user);
    if (account == nullptr) {
        return nobody_for(startup.user);
    }
    if (brings_shares(startup)) {
        return has_shares_already(account->key);
    }
    return server.is_full() ? std::optional(too_many_sessions()) : std::nullopt;
}

void log_lost(const net::Stream& client, const boost::system::system_error& lost) {
    log::debug(
        "{client}: connection lost: {reason}",
        {{"client", client.peer_address()}, {"reason", lost.code().message()}}
    );
}

net::Awaitable<void> refuse_client(net::Stream& client, LoginError error) {
    if (!error.is_silent) {
        log::info(
            "{client}: {reason}", {{"client", client.peer_address()}, {"reason", error.summary()}}
        );
    }
    co_await session::end_login(client, std::move(error));
}

net::Awaitable<void> converse(Server& server, net::Stream& client, net::Buffer& input) {
    auto accepted = co_await session::accept_startup(client, input, server.rules());
    if (!accepted.has_value()) {
        LoginError error = std::move(accepted.error());
        co_await refuse_client(client, std::move(error));
        co_return;
    }
    if (auto* const key = std::get_if<session::CancelKey>(&*accepted)) {
        session::CancelKey cancel = std::move(*key);
        std::vector<session::UpstreamTarget> targets(1, server.snapshot()->target);
        co_await session::forward_cancel(
            client, std::move(cancel), std::move(targets), server.cancels()
        );
        co_return;
    }
    session::ClientStartup startup = std::move(std::get<session::ClientStartup>(*accepted));
    if (auto reason = reason_to_refuse(server, startup)) {
        LoginError error = *std::move(reason);
        co_await refuse_client(client, std::move(error));
        co_return;
    }
    auto account = server.snapshot()->accounts.find(startup.user);
    if (startup.database == kConsole) {
        account.reset();
    }
    Session session(server, client, input);
    co_await session.run(std::move(startup), std::move(account));
}

}  // namespace

net::Awaitable<void> serve_client(Server& server, std::unique_ptr<net::Stream> client) {
    try {
        net::Buffer input(server.loop().buffers());
        try {
            co_await converse(server, *client, input);
        } catch (const std::bad_alloc&) {
            log::error("out of memory for secrets: a session ends");
        }
    } catch (const boost::system::system_error& lost) {
        log_lost(*client, lost);
    }
    client->close();
}

Session::Session(Server& server, net::Stream& client, net::Buffer& input)
    : server_(&server), client_(&client), input_(&input), unblocked_(server.loop()) {}

Session::~Session() {
    if (entered_) {
        server_->leave(*this);
        log("disconnected");
    }
}

net::Awaitable<void> Session::run(
    session::ClientStartup startup, std::shared_ptr<const Account> account
) {
    id_ = "a" + std::to_string(server_->enter(*this));
    entered_ = true;
    role_ = startup.user;
    auto opened = co_await session::open_upstream(server_->loop(), server_->snapshot()->target);
    if (!opened.has_value()) {
        LoginError error = std::move(opened.error());
        co_await refuse_client(*client_, std::move(error));
        co_return;
    }
    upstream_ = std::move(*opened);
    has_account_ = account != nullptr;
    relay_ = std::make_unique<Relay>(
        server_->tokens(), server_->table(), std::move(account), unix_time_s
    );
    if (has_account_ && server_->snapshot()->settings.token_channel) {
        const auto channel = upstream_.stream->tls_exporter();
        if (!channel) {
            co_await refuse_client(*client_, no_channel());
            co_return;
        }
        relay_->bind_to(*channel);
    }
    relay_->append_startup(to_upstream_, startup);
    startup = session::ClientStartup();
    log("connected");
    send(*upstream_.stream, to_upstream_);
    co_await net::race(pump_requests(), pump_replies());
    upstream_.stream->close();
    co_await session::finish_client(*client_);
}

// Whatever is thrown while the proxy's connection has failed is its loss; else it is the client's,
// which ends the session.

net::Awaitable<void> Session::pump_requests() {
    try {
        co_await relay_requests();
    } catch (const boost::system::system_error& lost) {
        if (!upstream_.stream->failure()) {
            throw;
        }
        on_lost(lost);
    }
}

net::Awaitable<void> Session::pump_replies() {
    try {
        co_await relay_replies();
    } catch (const boost::system::system_error& lost) {
        if (!upstream_.stream->failure()) {
            throw;
        }
        on_lost(lost);
    }
}

/// Once, whoever notices first.
void Session::on_lost(const boost::system::system_error& lost) {
    ended_ = ended_ || relay_->said_farewell();
    if (!ended_) {
        end(proxy_lost(lost.code().message()));
    }
}

net::Awaitable<void> Session::relay_requests() {
    while (!ended_) {
        if (relay_->client_waits()) {
            co_await unblocked_.wait();
            continue;
        }
        co_await client_->readable();
        const net::ReadResult read = client_->read_some(*input_);
        feed_requests();
        settle();
        if (read.end) {
            ended_ = true;
            break;
        }
        if (!ended_) {
            co_await upstream_.stream->drained(kPendingOutputMax);
        }
    }
    if (upstream_.stream->is_open()) {
        co_await upstream_.stream->finish_output();
    }
}

net::Awaitable<void> Session::relay_replies() {
    bool has_ended = false;
    while (!ended_ && !has_ended) {
        co_await upstream_.stream->readable();
        has_ended = upstream_.stream->read_some(*upstream_.input).end;
        feed_replies();
        if (relay_->client_waits()) {
            feed_requests();
            unblocked_.wake();
        }
        settle();
        co_await client_->drained(kPendingOutputMax);
    }
    if (!ended_ && relay_->said_farewell()) {
        ended_ = true;
    }
    if (!ended_) {
        end(proxy_lost("it closed the connection"));
    }
}

void Session::feed_requests() {
    if (ended_) {
        return;
    }
    const std::size_t used = relay_->on_client(input_->unparsed(), to_upstream_);
    input_->advance(used);
    input_->consume_parsed();
    send(*upstream_.stream, to_upstream_);
    if (relay_->client_wants() > 0) {
        input_->grow(relay_->client_wants());
    }
}

void Session::feed_replies() {
    if (ended_) {
        return;
    }
    net::Buffer& input = *upstream_.input;
    const bool was_logged_in = relay_->is_logged_in();
    const std::size_t used = relay_->on_upstream(input.unparsed(), to_client_);
    input.advance(used);
    input.consume_parsed();
    send(*client_, to_client_);
    if (relay_->upstream_wants() > 0) {
        input.grow(relay_->upstream_wants());
    }
    if (!was_logged_in && relay_->is_logged_in()) {
        client_->clear_deadline();
    }
}

/// Ends the session where it must, or may and shall.
void Session::settle() {
    if (ended_ || relay_ == nullptr) {
        return;
    }
    if (relay_->failure()) {
        end(*relay_->failure());
    } else if (server_->is_draining() && relay_->is_logged_in() && relay_->may_end_now()) {
        end(session::refuse("57P01", "terminating connection because pgveil-agent stops"));
    } else if (is_dismissed_ && relay_->is_logged_in() && relay_->may_end_now()) {
        end(no_user_any_more(role_));
    }
}

void Session::drain() {
    settle();
}

void Session::take_up() {
    if (!has_account_ || relay_ == nullptr) {
        return;
    }
    auto account = server_->snapshot()->accounts.find(role_);
    is_dismissed_ = account == nullptr;
    if (account != nullptr) {
        relay_->take_up(std::move(account));
    }
    settle();
}

void Session::end(const LoginError& reason) {
    ended_ = true;
    log(reason.summary());
    if (!relay_->is_inside_reply()) {
        session::append_fatal(to_client_, reason);
        send(*client_, to_client_);
    }
    upstream_.stream->close();
    unblocked_.wake();
}

void Session::log(std::string_view event) const {
    log::info(
        "{session} {role} {client}: {event}",
        {{"session", id_}, {"role", role_}, {"client", client_->peer_address()}, {"event", event}}
    );
}

}  // namespace pgveil::agent
