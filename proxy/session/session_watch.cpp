#include "proxy/session/cancel.hpp"
#include "proxy/session/session.hpp"

#include <boost/system/system_error.hpp>

/// What a session does and how long it may: PAUSE, time limits, and what the console shows.
namespace pgveil::session {

namespace {

/// How long the server has to answer a cancel before the session ends.
constexpr net::Duration kCancelGrace{10000};

/// How long a client may take to read why its session ended.
constexpr net::Duration kFarewellTime{3000};

LoginError administrator_command() {
    return refuse("57P01", "terminating connection due to administrator command");
}

}  // namespace

/// After both directions had their turn: a broken protocol ends the session, and so does a drain
/// that waited for the end of the transaction.
void Session::settle() {
    if (ended_) {
        return;
    }
    if (!relay_->violation().empty()) {
        log(relay_->violation());
        end(refuse("08P01", relay_->violation()));
    } else if (worker_->is_draining() && may_end_now()) {
        end(administrator_command());
    } else if (const auto reason = reason_to_stop_replication()) {
        end(*reason);
    } else {
        watch();
    }
}

bool Session::is_over() const {
    return ended_ || relay_->is_finished();
}

bool Session::may_end_now() const {
    const relay::SessionState& state = relay_->state();
    const bool is_between = !relay_->awaits_server() && !state.batch_open &&
                            state.transaction == wire::TransactionStatus::kIdle;
    return is_between || relay_->streams_replication();
}

/// A PAUSE keeps the client's next transaction from beginning. A stream is none.
bool Session::is_held() const {
    return worker_->is_paused() && may_end_now() && !relay_->streams_replication() && !ended_;
}

/// A reload may have brought a policy that protects something of what is replicated.
std::optional<LoginError> Session::reason_to_stop_replication() const {
    const std::string& database = relay_->state().facts.database;
    return reason_against(replication_, database, worker_->snapshot()->policy.get());
}

/// After every turn. A timer that runs for an earlier phase is left alone: it looks again.
void Session::watch() {
    const relay::SessionState& state = relay_->state();
    const bool in_transaction =
        state.transaction != wire::TransactionStatus::kIdle || state.batch_open;
    activity_.observe(
        {relay_->awaits_server(), in_transaction, state.answered_requests}, worker_->loop().now()
    );
    if (replication_ != Replication::kNone) {
        return;  // a stream lasts as long as it likes
    }
    if (activity_.phase() == Phase::kActive && state.statement_timed_out) {
        return;  // the server has its time to cancel it
    }
    const auto limit = time_limit(activity_, worker_->snapshot()->settings.timeouts);
    if (limit && (!limit_.is_set() || *limit < limit_.deadline())) {
        limit_.set(std::chrono::ceil<net::Duration>(*limit - net::Clock::now()));
    }
}

void Session::on_time_limit() {
    if (ended_) {
        return;
    }
    const auto limit = time_limit(activity_, worker_->snapshot()->settings.timeouts);
    if (!limit) {
        return;
    }
    if (*limit > net::Clock::now()) {
        return limit_.set(std::chrono::ceil<net::Duration>(*limit - net::Clock::now()));
    }
    switch (activity_.phase()) {
        case Phase::kActive: return cancel_statement_in_time();
        case Phase::kIdle:
            if (is_held()) {
                return limit_.set(kCancelGrace);  // it waits for us
            }
            log("idle for too long");
            return end_between_turns(
                refuse("57P05", "terminating connection due to idle-session timeout")
            );
        case Phase::kIdleInTransaction:
            log("idle in a transaction for too long");
            return end_between_turns(
                refuse("25P03", "terminating connection due to idle-in-transaction timeout")
            );
    }
}

/// First the server is asked; its error then says that the time was over. A server that does not
/// react loses the session.
void Session::cancel_statement_in_time() {
    relay::SessionState& state = relay_->state();
    if (state.statement_timed_out) {
        log("the server did not cancel a statement that took too long");
        return end_between_turns(refuse(
            "57014",
            "terminating connection: the statement took too long and the server did not cancel it"
        ));
    }
    log("a statement took too long: it is cancelled");
    state.statement_timed_out = true;
    limit_.set(kCancelGrace);
    cancel_at_server();
}

void Session::cancel_at_server() {
    worker_->loop().spawn(
        cancel_statement(worker_->loop(), cancel_key_, upstream_target_, worker_->cancels())
    );
}

void Session::drain() {
    if (may_end_now()) {
        end_now();
    }
}

void Session::end_now() {
    end_between_turns(administrator_command());
}

void Session::kill() {
    if (!ended_ && !cancelled_ && relay_->awaits_server()) {
        cancelled_ = true;
        cancel_at_server();
    }
    log("ended by KILL_CLIENT");
    end_now();
}

std::string Session::server() const {
    return upstream_target_.host + ":" + std::to_string(upstream_target_.port);
}

/// end(), where no coroutine of this session catches what the network throws. A client that does
/// not take its error is not waited for.
void Session::end_between_turns(const LoginError& reason) {
    if (ended_) {
        return;
    }
    try {
        end(reason);
        client_->set_deadline(kFarewellTime);
    } catch (const boost::system::system_error&) {
        client_->close();
        upstream_.stream->close();
    }
}

admin::SessionFacts Session::facts() const {
    const relay::SessionState& state = relay_->state();
    admin::SessionFacts facts;
    facts.id = id_;
    facts.user = state.facts.login;
    facts.database = state.facts.database;
    facts.state = is_held() ? "paused" : std::string(name_of(activity_.phase()));
    facts.address = client_->peer_address();
    facts.server = server();
    facts.tls = client_->tls_version();
    facts.connected_s = connected_s_;
    const auto ago = worker_->loop().now() - activity_.since();
    facts.request_s = unix_time_s() - std::chrono::duration_cast<std::chrono::seconds>(ago).count();
    facts.server_process = cancel_key_.process_id;
    facts.veil_user = state.verified_user.user_id();
    facts.prepared_statements = state.statements.size();
    facts.totals = {
        state.answered_requests,
        state.ended_transactions,
        received_bytes_,
        sent_bytes_,
        activity_.request_us(),
        activity_.transaction_us()};
    return facts;
}

}  // namespace pgveil::session
