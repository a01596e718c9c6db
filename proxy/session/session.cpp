#include "proxy/session/session.hpp"

#include "net/race.hpp"
#include "proxy/log/log.hpp"
#include "proxy/session/message_reader.hpp"

#include <boost/system/system_error.hpp>

#include <new>

namespace pgveil::session {

namespace {

/// A pump stops reading while the other side has more than this to take, in bytes.
constexpr std::size_t kPendingOutputMax = std::size_t{256} * 1024;

/// So many bytes of opened rows wait at most for those that the server has sent meanwhile: four of
/// the largest records of TLS.
constexpr std::size_t kGatheredMax = std::size_t{64} * 1024;

/// CRYPTO.md section 6: how long a request may wait on its client before its keys are wiped.
constexpr net::Duration kIdleKeys{1000};

LoginError upstream_lost(std::string_view reason) {
    LoginError error =
        refuse("08006", "the connection to the database server was lost", std::string(reason));
    error.hint =
        "Connect again. Look whether the last COMMIT took effect if its answer has not come.";
    return error;
}

/// One system call where one slice leaves; else the pieces are gathered first. `sent` counts bytes.
void send(net::Stream& stream, relay::Outgoing& outgoing, metrics::Counter& sent) {
    if (outgoing.empty()) {
        return;
    }
    const bool is_one = outgoing.slice_count() == 1;
    outgoing.for_each([&stream, &sent, is_one](wire::ByteView slice) {
        sent.add(slice.size());
        if (is_one) {
            stream.send(slice);
        } else {
            stream.queue(slice);
        }
    });
    if (!is_one) {
        stream.flush();
    }
    outgoing.clear();
}

}  // namespace

Session::Session(Worker& worker, net::Stream& client, net::Buffer& input)
    : worker_(&worker),
      client_(&client),
      input_(&input),
      unblocked_(worker.loop()),
      idle_(worker.loop(), [this] { relay_->wipe_idle_keys(); }),
      limit_(worker.loop(), [this] { on_time_limit(); }),
      activity_(worker.loop().now()),
      connected_s_(unix_time_s()),
      id_("s" + std::to_string(++worker.service().session_ids)) {}

Session::~Session() {
    if (counted_) {
        --worker_->service().sessions;
    }
    worker_->service().routes.remove(cancel_key_);
    if (entered_) {
        worker_->leave(*this);
        if (worker_->snapshot()->settings.log.disconnections) {
            log("disconnected");
        }
    }
}

net::Awaitable<void> Session::run(ClientStartup startup) {
    const bool is_logged_in = co_await log_in(std::move(startup));
    if (!is_logged_in) {
        co_return;
    }
    entered_ = true;
    worker_->enter(*this);
    if (worker_->snapshot()->settings.log.connections) {
        log_connected();
    }
    const net::Duration keepalive(worker_->snapshot()->settings.timeouts.keepalive_ms);
    client_->set_keepalive(keepalive);
    upstream_.stream->set_keepalive(keepalive);
    settle();  // the proxy may have been told to stop meanwhile
    try {
        co_await net::race(pump_requests(), pump_replies());
    } catch (const boost::system::system_error&) {
        cancel_if_running();
        throw;
    }
    upstream_.stream->close();
    relay_->state().parameters.wipe_shares();
    if (!client_->failure()) {
        send_to_client();
    }
    co_await finish_client(*client_);
}

/// The client went without a word of goodbye. One that said Terminate gets what it gets without a
/// proxy: the server goes on until it wants to say something.
void Session::cancel_if_running() {
    const bool is_running = relay_ && relay_->awaits_server();
    if (!is_running || relay_->is_finished() || cancelled_ || worker_->loop().is_stopping()) {
        return;
    }
    cancelled_ = true;
    log("the connection was lost while a statement ran: it is cancelled");
    cancel_at_server();
}

// Whatever is thrown while the server's connection has failed is its loss; else it is the client's,
// which ends the session.

net::Awaitable<void> Session::pump_requests() {
    try {
        co_await relay_requests();
    } catch (const boost::system::system_error& lost) {
        if (!is_upstream_lost()) {
            throw;
        }
        on_upstream_lost(lost.code().message());
    }
}

net::Awaitable<void> Session::pump_replies() {
    try {
        co_await relay_replies();
    } catch (const boost::system::system_error& lost) {
        if (!is_upstream_lost()) {
            throw;
        }
        on_upstream_lost(lost.code().message());
    }
}

net::Awaitable<void> Session::relay_requests() {
    while (!is_over()) {
        if (is_held() || (relay_->client_waits() && !input_->empty())) {
            co_await unblocked_.wait();
            continue;
        }
        co_await client_->readable();
        if (is_held()) {
            continue;
        }
        const net::ReadResult read = client_->read_some(*input_);
        received_bytes_ += read.bytes;
        worker_->tally().client_received.add(read.bytes);
        take_turn(&Session::feed_requests);
        settle();
        if (read.end) {
            cancel_if_running();
            ended_ = true;
            break;
        }
        co_await upstream_.stream->drained(kPendingOutputMax);
    }
    co_await upstream_.stream->finish_output();
}

net::Awaitable<void> Session::relay_replies() {
    while (!is_over()) {
        co_await upstream_.stream->readable();
        const net::ReadResult read = upstream_.stream->read_some(*upstream_.input);
        worker_->tally().upstream_received.add(read.bytes);
        take_turn(&Session::feed_replies);
        if (!relay_->client_waits()) {
            take_turn(&Session::feed_requests);
            unblocked_.wake();
        }
        settle();
        if (read.end) {
            on_upstream_lost("it closed the connection");
            break;
        }
        co_await client_->drained(kPendingOutputMax);
    }
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
        log(no_memory().message);
        to_client_.clear();
        to_upstream_.clear();
        relay_->state().parameters.wipe_shares();
        end(no_memory());
    }
}

void Session::feed_requests() {
    idle_.clear();
    const std::size_t used = relay_->on_client(input_->unparsed(), to_upstream_);
    input_->advance(used);
    send_upstream();
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
    input.advance(used);  // before anything can throw: these bytes are not taken twice
    if (!may_gather()) {
        send_to_client();
    }
    send_upstream();
    input.consume_parsed();
    if (relay_->upstream_wants() > input.unparsed().size() && !input.empty()) {
        input.grow(relay_->upstream_wants());
    }
}

/// What was made here can wait while more of the server's answer is at hand: a large result leaves
/// in few, large pieces.
bool Session::may_gather() const {
    return upstream_.stream->is_input_ready() && !is_upstream_lost() && to_client_.is_all_made() &&
           to_client_.size() < kGatheredMax;
}

void Session::send_to_client() {
    sent_bytes_ += to_client_.size();
    send(*client_, to_client_, worker_->tally().client_sent);
    is_client_inside_message_ = relay_->is_inside_reply();
}

/// Nothing for a server that is lost: what it had said before is still being read.
void Session::send_upstream() {
    if (is_upstream_lost()) {
        to_upstream_.clear();
        return;
    }
    send(*upstream_.stream, to_upstream_, worker_->tally().upstream_sent);
}

bool Session::is_upstream_lost() const {
    return static_cast<bool>(upstream_.stream->failure());
}

/// Once, whoever notices first. What the server said before it went is passed on.
void Session::on_upstream_lost(std::string_view reason) {
    to_upstream_.clear();
    while (!is_over() && upstream_.stream->read_rest(*upstream_.input)) {
        take_turn(&Session::feed_replies);
    }
    send_to_client();
    settle();
    if (is_over()) {
        return;
    }
    const LoginError lost = upstream_lost(reason);
    log(lost.summary());
    if (relay_->server_said_farewell()) {
        ended_ = true;
    } else {
        end(lost);
    }
}

void Session::end(const LoginError& reason) {
    ended_ = true;
    if (!is_client_inside_message_) {
        append_fatal(to_client_.made(), reason);
        send(*client_, to_client_, worker_->tally().client_sent);
    }
    // Whoever waits for the server wakes up and finds the session over.
    upstream_.stream->close();
    unblocked_.wake();
}

void Session::log_connected() const {
    const relay::SessionFacts& facts = relay_->state().facts;
    log::info(
        "{session} {user}@{database} {client}: {event} to {server}, process {process}",
        {{"session", id_},
         {"user", facts.login},
         {"database", facts.database},
         {"client", client_->peer_address()},
         {"event", "connected"},
         {"server", server()},
         {"process", cancel_key_.process_id}}
    );
}

void Session::log(std::string_view event) const {
    const relay::SessionFacts& facts = relay_->state().facts;
    log::info(
        "{session} {user}@{database} {client}: {event}",
        {{"session", id_},
         {"user", facts.login},
         {"database", facts.database},
         {"client", client_->peer_address()},
         {"event", event}}
    );
}

}  // namespace pgveil::session
