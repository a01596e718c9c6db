#include "proxy/session/worker.hpp"

#include "proxy/log/log.hpp"
#include "proxy/session/connection.hpp"
#include "proxy/session/session.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>

namespace pgveil::session {

namespace {

void log_slow(const relay::SlowStatement& slow) {
    const log::Fields fields = {
        {"request", slow.request_id},
        {"duration_ms", slow.took_ms},
        {"statement", slow.text},
        {"session", slow.session_id},
        {"user", slow.login},
        {"database", slow.database}};
    log::warn(
        slow.failed ? "{request} {user}@{database} failed after {duration_ms} ms: {statement}"
                    : "{request} {user}@{database} took {duration_ms} ms: {statement}",
        fields
    );
}

}  // namespace

std::int64_t unix_time_s() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

std::int64_t unix_time_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

void record(const Service& service, audit::Record event) {
    if (service.audit != nullptr) {
        event.at_ms = unix_time_ms();
        service.audit->offer(std::move(event));
    }
}

Worker::Worker(Service& service, SnapshotPtr snapshot) : service_(&service) {
    environment_.custody = service.custody;
    environment_.definitions = service.definitions;
    environment_.tally = service.tallies.add_tally();
    environment_.random = &random_;
    environment_.zones = &service.zones;
    environment_.now_s = unix_time_s;
    environment_.now_ms = [this] {
        const auto now = loop_.now().time_since_epoch();
        return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    };
    environment_.on_refused = [this](std::string_view request_id, std::string_view sqlstate) {
        ++refused_;
        log::info(
            "{request} refused with {sqlstate}", {{"request", request_id}, {"sqlstate", sqlstate}}
        );
    };
    environment_.on_repeated = [](std::string_view session_id, std::string_view column) {
        static std::atomic<std::uint64_t> count = 0;
        log::warn(
            "session {session}: a value of {column} also left unencrypted in the same statement "
            "({count} since the start)",
            {{"session", session_id}, {"column", column}, {"count", ++count}}
        );
    };
    environment_.on_slow = log_slow;
    environment_.alarms = service.alarms.get();
    if (audit::Writer* const writer = service.audit.get()) {
        environment_.on_audit = [&service](audit::Record event) {
            record(service, std::move(event));
        };
        environment_.audit_is_ready = [writer] {
            return writer->is_ready();
        };
    }
    adopt(std::move(snapshot));
}

Worker::~Worker() {
    stop();
    if (thread_.joinable()) {
        thread_.join();
    }
}

net::Result<void> Worker::listen(const net::Address& address) {
    return keep(net::Listener::open(loop_, address, on_accept()));
}

net::Result<void> Worker::listen(const net::Socket& listening) {
    return keep(net::Listener::share(loop_, listening, on_accept()));
}

net::Result<void> Worker::keep(net::Result<std::unique_ptr<net::Listener>> listener) {
    if (!listener.has_value()) {
        return listener.error();
    }
    listeners_.push_back(std::move(*listener));
    return {};
}

net::Listener::OnAccept Worker::on_accept() {
    return [this](std::unique_ptr<net::Stream> client) {
        accept(std::move(client));
    };
}

void Worker::start() {
    thread_ = std::thread([this] { loop_.run(); });
}

void Worker::stop() {
    loop_.stop();
}

void Worker::drain() {
    loop_.remote().post([this] {
        draining_ = true;
        close_listeners();
        const std::vector<Session*> sessions = sessions_;
        for (Session* const session : sessions) {
            session->drain();
        }
    });
}

void Worker::end_sessions() {
    loop_.remote().post([this] {
        draining_ = true;
        close_listeners();
        const std::vector<Session*> sessions = sessions_;
        for (Session* const session : sessions) {
            session->end_now();
        }
    });
}

bool Worker::kill(std::string_view session) {
    const auto found =
        std::find_if(sessions_.begin(), sessions_.end(), [session](const auto* each) {
            return each->id() == session;
        });
    if (found == sessions_.end()) {
        return false;
    }
    (*found)->kill();
    return true;
}

void Worker::close_listeners() {
    for (const auto& listener : listeners_) {
        listener->close();
    }
}

void Worker::resume() {
    loop_.remote().post([this] {
        for (Session* const session : sessions_) {
            session->resume();
        }
    });
}

admin::WorkerFacts Worker::facts() const {
    admin::WorkerFacts facts;
    facts.gone = gone_;
    facts.refused = refused_;
    for (const Session* const session : sessions_) {
        facts.sessions.push_back(session->facts());
        facts.busy += session->may_end_now() ? 0U : 1U;
    }
    return facts;
}

void Worker::leave(Session& session) {
    std::erase(sessions_, &session);
    const admin::SessionFacts facts = session.facts();
    gone_[facts.database] += facts.totals;
}

void Worker::count_failed_login(const LoginError& error) {
    if (!error.is_silent) {
        tally().failed_logins.add(error.sqlstate);
    }
}

void Worker::reload(SnapshotPtr snapshot) {
    loop_.remote().post([this, fresh = std::move(snapshot)]() mutable { adopt(std::move(fresh)); });
}

void Worker::adopt(SnapshotPtr snapshot) {
    snapshot_ = std::move(snapshot);
    environment_.policy = snapshot_->policy;
    environment_.limits = snapshot_->settings.limits;
    environment_.slow_statement_ms = snapshot_->settings.log.slow_statement_ms;
    environment_.plans.set_limit(snapshot_->settings.limits.plan_cache_bytes);
}

void Worker::accept(std::unique_ptr<net::Stream> client) {
    tally().connections.add();
    strangers_.make_room();
    loop_.spawn(run_session(*this, std::move(client)));
}

}  // namespace pgveil::session
