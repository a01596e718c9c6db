#include "proxy/serve.hpp"

#include "keyshare/core/arena.hpp"
#include "net/service_manager.hpp"
#include "net/unix_listener.hpp"
#include "proxy/alarms.hpp"
#include "proxy/audit_command.hpp"
#include "proxy/certificate_watch.hpp"
#include "proxy/custody_options.hpp"
#include "proxy/custody_watch.hpp"
#include "proxy/ending.hpp"
#include "proxy/explain_thread.hpp"
#include "proxy/http_endpoint.hpp"
#include "proxy/locking.hpp"
#include "proxy/log/log.hpp"
#include "proxy/mirror/keyring_mirror.hpp"
#include "proxy/reload.hpp"
#include "proxy/seal_choice.hpp"
#include "proxy/secret_lookup.hpp"
#include "proxy/session/pause.hpp"
#include "proxy/session/service.hpp"
#include "proxy/session/snapshot.hpp"
#include "proxy/session/worker.hpp"
#include "proxy/start.hpp"
#include "sql/parse/parser.hpp"

#include <chrono>
#include <csignal>
#include <ctime>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <vector>

namespace pgveil::proxy {

namespace {

constexpr long kTickNanoseconds = 100'000'000;

using Workers = std::vector<std::unique_ptr<session::Worker>>;

/// The signals that the main thread waits for; blocked in every thread.
sigset_t awaited_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2}) {
        sigaddset(&signals, signal);
    }
    return signals;
}

/// The running proxy: workers, and what the main thread does between signals.
class Proxy {
public:
    Proxy(session::Service& service, session::SnapshotPtr snapshot)
        : service_(&service),
          snapshot_(std::move(snapshot)),
          certificates_(snapshot_->settings),
          custody_(service),
          ending_(service) {}

    mirror::Result<void> prepare();
    net::Result<void> listen();
    void announce() const;
    void run();

private:
    void make_workers();
    net::Result<void> listen_at(net::Address address);
    net::Result<void> listen_on(const std::vector<net::Socket>& sockets);
    net::Result<void> listen_locally();
    net::Result<void> open_http();
    void on_signal(int signal);
    void hold_transactions(bool is_held);
    void end_by(int signal);
    admin::Answer reload();
    void answer(session::ControlRequest request);
    void take_up(session::SnapshotPtr fresh);
    void tick();

    session::Service* service_;
    session::SnapshotPtr snapshot_;
    Workers workers_;
    std::unique_ptr<HttpEndpoint> http_;  ///< null: off
    bool is_handed_over_ = false;
    std::optional<net::UnixListener> local_;  ///< nothing: off
    bool stopping_ = false;
    CertificateWatch certificates_;
    CustodyWatch custody_;
    Ending ending_;
    ExplainThread explainer_;
};

net::Result<void> Proxy::listen() {
    const config::ListenSettings& settings = snapshot_->settings.listen;
    auto handed_over = net::inherited_listeners();
    if (!handed_over.has_value()) {
        return handed_over.error();
    }
    make_workers();
    is_handed_over_ = !handed_over->empty();
    auto listening =
        is_handed_over_ ? listen_on(*handed_over) : listen_at({settings.host, settings.port});
    if (listening.has_value()) {
        listening = listen_locally();
    }
    return listening.has_value() ? open_http() : listening;
}

void Proxy::make_workers() {
    const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
    const std::uint32_t count =
        snapshot_->settings.workers == 0 ? cores : snapshot_->settings.workers;
    for (std::uint32_t i = 0; i < count; ++i) {
        workers_.push_back(std::make_unique<session::Worker>(*service_, snapshot_));
        session::Worker& worker = *workers_.back();
        service_->workers.push_back({worker.loop().remote(), &worker});
    }
}

net::Result<void> Proxy::listen_at(net::Address address) {
    auto free = net::Listener::check_free(address);
    if (!free.has_value()) {
        return free;
    }
    for (const auto& worker : workers_) {
        auto listening = worker->listen(address);
        if (!listening.has_value()) {
            return listening;
        }
        address.port = workers_.front()->port();
    }
    return {};
}

/// The socket for clients on this machine, which all workers share.
net::Result<void> Proxy::listen_locally() {
    const config::ListenSettings& settings = snapshot_->settings.listen;
    if (settings.unix_directory.empty()) {
        return {};
    }
    auto opened = net::UnixListener::open(
        settings.unix_directory, workers_.front()->port(), settings.unix_permissions
    );
    if (!opened.has_value()) {
        return opened.error();
    }
    local_.emplace(std::move(*opened));
    for (const auto& worker : workers_) {
        auto listening = worker->listen(local_->socket());
        if (!listening.has_value()) {
            return listening;
        }
    }
    local_->release();
    return {};
}

net::Result<void> Proxy::open_http() {
    auto http = HttpEndpoint::open(*service_, snapshot_);
    if (!http.has_value()) {
        return http.error();
    }
    http_ = *std::move(http);
    return {};
}

/// All workers accept from the same sockets, which stay open elsewhere: while no proxy runs,
/// clients wait in their queues.
net::Result<void> Proxy::listen_on(const std::vector<net::Socket>& sockets) {
    for (const auto& worker : workers_) {
        for (const net::Socket& socket : sockets) {
            auto listening = worker->listen(socket);
            if (!listening.has_value()) {
                return listening;
            }
        }
    }
    return {};
}

/// What the log says once nothing can go wrong any more; a start-up that fails has one line only.
void Proxy::announce() const {
    const config::ListenSettings& settings = snapshot_->settings.listen;
    for (const std::string& warning : snapshot_->users->warnings()) {
        log::warn("{warning}", {{"warning", warning}});
    }
    if (snapshot_->passwords) {
        for (const std::string& warning : snapshot_->passwords->warnings()) {
            log::warn("{warning}", {{"warning", warning}});
        }
    }
    warn_of_strangers(*snapshot_);
    log::info(
        "secrets live in {memory} memory; the store key is {seal}",
        {{"memory", core::name_of(core::arena_report().mode)},
         {"seal", describe_seal(snapshot_->settings)}}
    );
    log::info(
        "listening on {host}:{port} with {workers} workers",
        {{"host", is_handed_over_ ? "(handed over)" : settings.host},
         {"port", workers_.front()->port()},
         {"workers", workers_.size()}}
    );
    if (local_) {
        log::info("listening on {path}", {{"path", local_->path()}});
    }
    if (http_) {
        log::info("metrics and health on {address}", {{"address", http_->place()}});
    }
}

void Proxy::run() {
    for (const auto& worker : workers_) {
        worker->start();
    }
    if (http_) {
        http_->start();
    }
    net::notify_service_manager("READY=1");
    const sigset_t signals = awaited_signals();
    while (!stopping_) {
        const timespec timeout{0, kTickNanoseconds};
        const int signal = sigtimedwait(&signals, nullptr, &timeout);
        if (signal > 0) {
            on_signal(signal);
        }
        tick();
    }
    for (const auto& worker : workers_) {
        worker->stop();
    }
    workers_.clear();
}

void Proxy::on_signal(int signal) {
    if (signal == SIGHUP) {
        net::notify_reloading();
        reload();
        return net::notify_service_manager("READY=1");
    }
    if (signal == SIGUSR1 || signal == SIGUSR2) {
        return hold_transactions(signal == SIGUSR1);
    }
    end_by(signal);
}

/// PAUSE and RESUME of the console, by the signals that pgbouncer has for them.
void Proxy::hold_transactions(bool is_held) {
    const bool is_new = is_held ? session::begin_pause(*service_) : session::end_pause(*service_);
    const std::string_view now = is_held ? "paused" : "not paused";
    log::info(
        "{now} by a signal{already}", {{"now", now}, {"already", is_new ? "" : ", as before"}}
    );
}

void Proxy::end_by(int signal) {
    if (ending_.has_begun() || signal == SIGQUIT) {
        log::info(ending_.has_begun() ? "a second signal: stopping now" : "stopping now");
        stopping_ = true;
        return;
    }
    ending_.begin(signal == SIGINT ? Pace::kFast : Pace::kDrain, snapshot_->settings.timeouts);
}

void Proxy::take_up(session::SnapshotPtr fresh) {
    snapshot_ = std::move(fresh);
    for (const auto& worker : workers_) {
        worker->reload(snapshot_);
    }
    if (http_) {
        http_->reload(snapshot_);
    }
}

/// Says what happened in the log, too.
admin::Answer Proxy::reload() {
    auto fresh = reloaded(*snapshot_);
    if (!fresh.has_value()) {
        const std::string& reason = fresh.error().message;
        log::error("reload failed, the old configuration stays: {reason}", {{"reason", reason}});
        return admin::failed(admin::CommandError("F0000", "the old configuration stays: " + reason)
        );
    }
    take_up(std::move(fresh->snapshot));
    service_->loaded_s = session::unix_time_s();
    service_->found_secrets.forget_all();
    log::set_up(snapshot_->settings.log);
    log::info("reloaded {file}", {{"file", snapshot_->settings.file}});
    warn_of_strangers(*snapshot_);
    admin::Answer answer;
    answer.notices = std::move(fresh->notices);
    if (std::string trouble = trouble_at_next_start(snapshot_->settings); !trouble.empty()) {
        log::warn("the next start will fail: {reason}", {{"reason", trouble}});
        answer.notices.push_back("the next start will fail: " + std::move(trouble));
    }
    return answer;
}

/// What the console asks of the main thread.
void Proxy::answer(session::ControlRequest request) {
    if (const auto* const unlock = std::get_if<admin::UnlockUser>(&request.command)) {
        return request.reply(unlock_user(unlock->user, *service_->custody));
    }
    const auto* const action = std::get_if<admin::Action>(&request.command);
    if (action == nullptr) {
        return explainer_.post(std::move(request), snapshot_);
    }
    if (*action == admin::Action::kReload) {
        return request.reply(reload());
    }
    if (*action == admin::Action::kLock || *action == admin::Action::kUnlock) {
        return request.reply(change_lock(*action, *service_, snapshot_->settings, custody_));
    }
    request.reply({});
    const bool is_drain = *action == admin::Action::kDrain;
    ending_.begin(is_drain ? Pace::kDrain : Pace::kFast, snapshot_->settings.timeouts);
}

/// What must be in order before listen(). The error is for people.
mirror::Result<void> Proxy::prepare() {
    auto checked = custody_.check_version(snapshot_->settings);
    return checked.has_value() ? custody_.publish(snapshot_->settings) : checked;
}

void Proxy::tick() {
    for (session::ControlRequest& request : service_->control.take()) {
        answer(std::move(request));
    }
    if (ending_.has_begun() && ending_.is_over()) {
        stopping_ = true;
    }
    try {
        if (auto fresh = certificates_.look(*snapshot_, session::unix_time_s())) {
            take_up(std::move(fresh));
        }
        custody_.look(snapshot_->settings, session::unix_time_s());
    } catch (const std::bad_alloc&) {
        log::error("out of memory for secrets: the share store is looked after later");
    }
}

}  // namespace

int serve(const std::string& settings_file) {
    auto settings = start(settings_file);
    if (!settings) {
        return kExitConfiguration;
    }
    const sigset_t signals = awaited_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    (void)std::signal(SIGPIPE, SIG_IGN);
    (void)std::signal(SIGXFSZ, SIG_IGN);  // a store that may not grow is an error, not the end
    raise_descriptor_limit();
    log::set_up(settings->log);
    const auto parser = parse::check_parser();
    if (!parser.has_value()) {
        return refuse_to_start(parser.error().message);
    }
    auto snapshot = session::load_snapshot(std::move(*settings));
    if (!snapshot.has_value()) {
        return refuse_to_start(snapshot.error().message);
    }
    auto custody = open_custody((*snapshot)->settings);
    if (!custody.has_value()) {
        return refuse_to_start(custody.error().message);
    }
    auto audit = open_audit((*snapshot)->settings, **custody);
    if (!audit.has_value()) {
        return refuse_to_start(audit.error().message);
    }
    const auto home = mirror::check_home((*snapshot)->settings);
    if (!home.has_value()) {
        return refuse_to_start(home.error().message);
    }
    session::Service service;
    service.custody = std::move(*custody);
    service.audit = std::move(*audit);
    service.alarms = start_alarms((*snapshot)->settings, service.custody);
    service.secrets = std::make_shared<SecretLookup>();
    service.version = PGVEIL_VERSION;
    service.started_s = session::unix_time_s();
    service.loaded_s = service.started_s;
    Proxy proxy(service, std::move(*snapshot));
    const auto prepared = proxy.prepare();
    if (!prepared.has_value()) {
        return refuse_to_start(prepared.error().message);
    }
    const auto listening = proxy.listen();
    if (!listening.has_value()) {
        return refuse_to_start(listening.error().message);
    }
    proxy.announce();
    proxy.run();
    return 0;
}

}  // namespace pgveil::proxy
