#include "proxy/session/session.hpp"

#include "proxy/relay/startup_parameters.hpp"
#include "proxy/session/bootstrap_endpoint.hpp"
#include "proxy/session/message_reader.hpp"
#include "proxy/wire/error_response.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/system/system_error.hpp>

#include <new>
#include <spdlog/spdlog.h>

namespace pgveil::session {

namespace {

/// A pump stops reading while the other side has more than this to take, in bytes.
constexpr std::size_t kPendingOutputMax = std::size_t{256} * 1024;

/// CRYPTO.md section 6: how long a request may wait on its client before its keys are wiped.
constexpr net::Duration kIdleKeys{1000};

LoginError login_error(const relay::Refusal& refusal) {
    LoginError error = refuse(refusal.sqlstate, refusal.message, refusal.detail);
    error.hint = refusal.hint;
    return error;
}

constexpr std::string_view kNoMemory = "out of memory for secrets";
constexpr std::string_view kNoMemoryHint =
    "Raise memory.arena_bytes or lower the limits in the proxy's settings.";

void send_no_memory(net::Stream& client) {
    wire::Report report;
    report.severity = "FATAL";
    report.sqlstate = "53200";
    report.message = kNoMemory;
    report.hint = kNoMemoryHint;
    wire::Output farewell;
    wire::append_error(farewell, report);
    client.send(farewell.bytes());
}

/// One system call where one slice leaves; else the pieces are gathered first.
void send(net::Stream& stream, relay::Outgoing& outgoing) {
    if (outgoing.empty()) {
        return;
    }
    if (outgoing.slice_count() == 1) {
        outgoing.for_each([&stream](wire::ByteView slice) { stream.send(slice); });
    } else {
        outgoing.for_each([&stream](wire::ByteView slice) { stream.queue(slice); });
        stream.flush();
    }
    outgoing.clear();
}

net::Awaitable<void> serve_for_proxy(
    Worker& worker, net::Stream& client, net::Buffer& input, const ClientStartup& startup
) {
    Service& service = worker.service();
    CustodyBootstrap steps(service.custody, unix_time_s);
    co_await serve_bootstrap(client, input, startup, steps, service.throttle);
}

net::Awaitable<void> serve(Worker& worker, net::Stream& client, net::Buffer& input) {
    const SnapshotPtr snapshot = worker.snapshot();
    auto accepted = co_await accept_startup(client, input, snapshot->rules);
    if (!accepted.has_value()) {
        LoginError error = std::move(accepted.error());
        co_await end_login(client, std::move(error));
        co_return;
    }
    if (auto* const cancel = std::get_if<CancelKey>(&*accepted)) {
        CancelKey key = std::move(*cancel);
        UpstreamTarget target = snapshot->target;
        co_await forward_cancel(client, std::move(key), std::move(target), worker.cancels());
        co_return;
    }
    ClientStartup startup = std::move(std::get<ClientStartup>(*accepted));
    if (is_for_proxy(startup)) {
        co_await serve_for_proxy(worker, client, input, startup);
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
            spdlog::error("{}: {}", client->peer_address(), kNoMemory);
            send_no_memory(*client);
        }
    } catch (const boost::system::system_error& lost) {
        spdlog::debug("{}: connection lost: {}", client->peer_address(), lost.code().message());
    }
    client->close();
}

Session::Session(Worker& worker, net::Stream& client, net::Buffer& input)
    : worker_(&worker),
      client_(&client),
      input_(&input),
      unblocked_(worker.loop()),
      idle_(worker.loop(), [this] { relay_->wipe_idle_keys(); }),
      id_("s" + std::to_string(++worker.service().session_ids)) {}

Session::~Session() {
    if (counted_) {
        --worker_->service().sessions;
    }
    if (entered_) {
        worker_->leave(*this);
        log("disconnected");
    }
}

net::Awaitable<void> Session::run(ClientStartup startup) {
    const bool is_logged_in = co_await log_in(std::move(startup));
    if (!is_logged_in) {
        co_return;
    }
    entered_ = true;
    worker_->enter(*this);
    log("connected");
    using boost::asio::experimental::awaitable_operators::operator&&;
    co_await (pump_requests() && pump_replies());
}

net::Awaitable<bool> Session::log_in(ClientStartup startup) {
    const SnapshotPtr snapshot = worker_->snapshot();
    relay::SessionFacts facts;
    facts.id = id_;
    facts.login = startup.user;
    facts.database = startup.database;
    facts.client_is_tls = startup.is_tls;
    relay_ = std::make_unique<relay::Relay>(worker_->environment(), std::move(facts));
    auto pairs = relay::take_startup_parameters(
        relay_->state().parameters, startup.parameters, startup.is_tls
    );
    if (!pairs.has_value()) {
        co_await end_login(*client_, login_error(pairs.error()));
        co_return false;
    }
    std::string user = startup.user;
    startup = ClientStartup();  // the shares in the packet are wiped before anything waits
    auto identity =
        co_await authenticate_client(*client_, *input_, std::move(user), snapshot->users);
    if (!identity.has_value()) {
        LoginError error = std::move(identity.error());
        log(error.summary());
        co_await end_login(*client_, std::move(error));
        co_return false;
    }
    counted_ = true;
    if (worker_->service().sessions.fetch_add(1) >= snapshot->settings.limits.sessions) {
        co_await end_login(*client_, refuse("53300", "sorry, too many clients already"));
        co_return false;
    }
    std::vector<wire::StartupParameter> parameters;
    for (const auto& [name, value] : *pairs) {
        parameters.push_back({name, value});
    }
    UpstreamTarget target = snapshot->target;
    auto ready =
        co_await connect_upstream(worker_->loop(), std::move(target), parameters, *identity);
    if (!ready.has_value()) {
        LoginError error = std::move(ready.error());
        log(error.summary());
        co_await end_login(*client_, std::move(error));
        co_return false;
    }
    greet(*ready);
    co_return true;
}

void Session::greet(UpstreamReady& ready) {
    for (const auto& [name, value] : ready.greeting.parameters) {
        relay_->state().settings.set(name, value);
    }
    relay_->state().transaction = ready.greeting.status;
    upstream_ = std::move(ready.connection);
    to_client_.made().append(ready.greeting.frames.bytes());
    wire::append_ready_for_query(to_client_.made(), ready.greeting.status);
    send(*client_, to_client_);
    to_client_.clear();
}

net::Awaitable<void> Session::pump_requests() {
    while (!is_over()) {
        if (relay_->client_waits() && !input_->empty()) {
            co_await unblocked_.wait();
            continue;
        }
        co_await client_->readable();
        const net::ReadResult read = client_->read_some(*input_);
        take_turn(&Session::feed_requests);
        settle();
        if (read.end) {
            ended_ = true;
            break;
        }
        co_await upstream_.stream->drained(kPendingOutputMax);
    }
    co_await upstream_.stream->finish_output();
    upstream_.stream->close();
}

net::Awaitable<void> Session::pump_replies() {
    while (!is_over()) {
        co_await upstream_.stream->readable();
        const net::ReadResult read = upstream_.stream->read_some(*upstream_.input);
        take_turn(&Session::feed_replies);
        if (!relay_->client_waits()) {
            take_turn(&Session::feed_requests);
            unblocked_.wake();
        }
        settle();
        if (read.end) {
            ended_ = true;
            break;
        }
        co_await client_->drained(kPendingOutputMax);
    }
    unblocked_.wake();
    co_await client_->finish_output();
    client_->close();
}

/// A secret that finds no room in the arena ends this session, and no other. What its turn has made
/// so far is incomplete and leaves to nobody.
void Session::take_turn(void (Session::*feed)()) {
    if (ended_) {
        return;
    }
    try {
        (this->*feed)();
    } catch (const std::bad_alloc&) {
        log(kNoMemory);
        to_client_.clear();
        to_upstream_.clear();
        relay_->state().parameters.wipe_shares();
        ended_ = true;
        send_no_memory(*client_);
        upstream_.stream->close();
        unblocked_.wake();
    }
}

void Session::feed_requests() {
    idle_.clear();
    const std::size_t used = relay_->on_client(input_->unparsed(), to_upstream_);
    send(*upstream_.stream, to_upstream_);
    input_->advance(used);
    input_->consume_parsed();
    if (relay_->client_wants() > input_->unparsed().size() && !input_->empty()) {
        input_->grow(relay_->client_wants());
    }
    if (relay_->state().segment && relay_->state().segment->keys) {
        idle_.set(kIdleKeys);
    }
}

void Session::feed_replies() {
    net::Buffer& input = *upstream_.input;
    const std::size_t used = relay_->on_upstream(input.unparsed(), to_client_, to_upstream_);
    send(*client_, to_client_);
    send(*upstream_.stream, to_upstream_);
    input.advance(used);
    input.consume_parsed();
    if (relay_->upstream_wants() > input.unparsed().size() && !input.empty()) {
        input.grow(relay_->upstream_wants());
    }
}

/// After both directions had their turn: a broken protocol ends the session, and so does a drain
/// that waited for the end of the transaction.
void Session::settle() {
    if (ended_) {
        return;
    }
    if (!relay_->violation().empty()) {
        log(relay_->violation());
        end("08P01", relay_->violation());
    } else if (worker_->is_draining() && may_end_now()) {
        end("57P01", "terminating connection due to administrator command");
    }
}

bool Session::is_over() const {
    return ended_ || relay_->is_finished();
}

bool Session::may_end_now() const {
    const relay::SessionState& state = relay_->state();
    return state.pending.empty() && !state.batch_open &&
           state.transaction == wire::TransactionStatus::kIdle;
}

void Session::end(std::string_view sqlstate, std::string_view message) {
    ended_ = true;
    wire::Report report;
    report.severity = "FATAL";
    report.sqlstate = sqlstate;
    report.message = message;
    wire::append_error(to_client_.made(), report);
    send(*client_, to_client_);
    // Whoever waits for the server wakes up and finds the session over.
    upstream_.stream->close();
    unblocked_.wake();
}

void Session::drain() {
    if (may_end_now()) {
        end("57P01", "terminating connection due to administrator command");
        client_->close();
    }
}

void Session::log(std::string_view event) const {
    const relay::SessionFacts& facts = relay_->state().facts;
    spdlog::info(
        "{} {}@{} {}: {}", id_, facts.login, facts.database, client_->peer_address(), event
    );
}

}  // namespace pgveil::session
