#include "proxy/serve.hpp"

#include "keyshare/core/arena.hpp"
#include "keyshare/seal/file_seal.hpp"
#include "proxy/custody_options.hpp"
#include "proxy/mirror/keyring_mirror.hpp"
#include "proxy/session/service.hpp"
#include "proxy/session/snapshot.hpp"
#include "proxy/session/worker.hpp"
#include "sql/parse/parser.hpp"

#include <csignal>
#include <ctime>
#include <memory>
#include <new>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <thread>
#include <vector>

namespace pgveil::proxy {

namespace {

constexpr std::int64_t kMaintenanceSeconds = 1;
constexpr std::int64_t kMirrorRetrySeconds = 5;
constexpr std::int64_t kDrainSeconds = 60;
constexpr long kTickNanoseconds = 100'000'000;

using Workers = std::vector<std::unique_ptr<session::Worker>>;

void set_up_log(config::LogLevel level) {
    auto logger = spdlog::stderr_logger_mt("pgveil");
    logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
    switch (level) {
        case config::LogLevel::kError: return spdlog::set_level(spdlog::level::err);
        case config::LogLevel::kWarn: return spdlog::set_level(spdlog::level::warn);
        case config::LogLevel::kInfo: return spdlog::set_level(spdlog::level::info);
        case config::LogLevel::kDebug: return spdlog::set_level(spdlog::level::debug);
    }
}

/// The signals that the main thread waits for; blocked in every thread.
sigset_t awaited_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGHUP, SIGTERM, SIGINT}) {
        sigaddset(&signals, signal);
    }
    return signals;
}

boost::system::result<std::shared_ptr<store::ProxyCustody>, session::LoadError> open_custody(
    const config::Settings& settings
) {
    auto custody = store::ProxyCustody::open(
        custody_options(settings), std::make_unique<seal::FileSeal>(settings.seal_path)
    );
    if (!custody.has_value()) {
        return session::LoadError{custody.error().message};
    }
    return std::move(*custody);
}

/// The running proxy: workers, and what the main thread does between signals.
class Proxy {
public:
    Proxy(session::Service& service, session::SnapshotPtr snapshot)
        : service_(&service), snapshot_(std::move(snapshot)) {}

    mirror::Result<void> publish();
    net::Result<void> listen();
    void announce() const;
    void run();

private:
    void on_signal(int signal);
    void reload();
    void tick();
    void look_after_custody(std::int64_t now_s);
    void report_custody(const std::string& trouble);
    bool must_publish() const;
    void mirror(std::int64_t now_s);
    bool is_drained() const;

    session::Service* service_;
    session::SnapshotPtr snapshot_;
    Workers workers_;
    bool stopping_ = false;
    bool draining_ = false;
    std::int64_t drain_until_s_ = 0;
    std::int64_t maintained_s_ = 0;
    std::string custody_trouble_;
    std::int64_t mirror_tried_s_ = 0;
};

net::Result<void> Proxy::listen() {
    const config::ListenSettings& settings = snapshot_->settings.listen;
    net::Address address{settings.host, settings.port};
    auto free = net::Listener::check_free(address);
    if (!free.has_value()) {
        return free;
    }
    const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
    const std::uint32_t count =
        snapshot_->settings.workers == 0 ? cores : snapshot_->settings.workers;
    for (std::uint32_t i = 0; i < count; ++i) {
        workers_.push_back(std::make_unique<session::Worker>(*service_, snapshot_));
        auto listening = workers_.back()->listen(address);
        if (!listening.has_value()) {
            return listening;
        }
        address.port = workers_.front()->port();
    }
    return {};
}

/// What the log says once nothing can go wrong any more; a start-up that fails has one line only.
void Proxy::announce() const {
    const config::ListenSettings& settings = snapshot_->settings.listen;
    for (const std::string& warning : snapshot_->users->warnings()) {
        spdlog::warn("{}", warning);
    }
    spdlog::info("secrets live in {} memory", core::name_of(core::arena_report().mode));
    spdlog::info(
        "listening on {}:{} with {} workers",
        settings.host,
        workers_.front()->port(),
        workers_.size()
    );
}

void Proxy::run() {
    for (const auto& worker : workers_) {
        worker->start();
    }
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
        return reload();
    }
    if (draining_ || signal == SIGINT) {
        stopping_ = true;
        return;
    }
    spdlog::info("draining: no new connections, sessions end between transactions");
    draining_ = true;
    drain_until_s_ = session::unix_time_s() + kDrainSeconds;
    for (const auto& worker : workers_) {
        worker->drain();
    }
}

void Proxy::reload() {
    auto fresh = session::load_snapshot(snapshot_->settings.file);
    if (!fresh.has_value()) {
        spdlog::error("reload failed, the old configuration stays: {}", fresh.error().message);
        return;
    }
    snapshot_ = std::move(*fresh);
    for (const auto& worker : workers_) {
        worker->reload(snapshot_);
    }
    spdlog::info("reloaded {}", snapshot_->settings.file);
}

void Proxy::tick() {
    const std::int64_t now_s = session::unix_time_s();
    if (draining_ && (is_drained() || now_s >= drain_until_s_)) {
        stopping_ = true;
    }
    try {
        look_after_custody(now_s);
    } catch (const std::bad_alloc&) {
        spdlog::error("out of memory for secrets: the share store is looked after later");
    }
}

void Proxy::look_after_custody(std::int64_t now_s) {
    if (now_s - maintained_s_ >= kMaintenanceSeconds) {
        maintained_s_ = now_s;
        const auto maintained = service_->custody->maintain(now_s);
        report_custody(maintained.has_value() ? std::string() : maintained.error().message);
    }
    mirror(now_s);
}

/// A trouble that lasts is logged once, and its end.
void Proxy::report_custody(const std::string& trouble) {
    if (trouble == custody_trouble_) {
        return;
    }
    if (trouble.empty()) {
        spdlog::info("share store: in order again");
    } else {
        spdlog::error("share store: {}", trouble);
    }
    custody_trouble_ = trouble;
}

/// After the bootstrap is closed (or the keyring has changed) the "0" must be read from the home
/// database before requests can be served.
bool Proxy::must_publish() const {
    const store::CustodyReport report = service_->custody->report();
    return report.closed && !report.zero_read;
}

/// Before listen(): no client meets a proxy that knows its shares and cannot serve them yet.
mirror::Result<void> Proxy::publish() {
    if (!must_publish()) {
        return {};
    }
    const auto published = mirror::publish_keyring(snapshot_->settings, *service_->custody);
    if (!published.has_value()) {
        return published.error();
    }
    if (!published->empty()) {
        spdlog::warn(
            "keyring mirror: {}; somebody changed pgveil.keyring in the home database. The share "
            "store's rows stand there again",
            *published
        );
    }
    return {};
}

void Proxy::mirror(std::int64_t now_s) {
    if (now_s - mirror_tried_s_ < kMirrorRetrySeconds || !must_publish()) {
        return;
    }
    mirror_tried_s_ = now_s;
    const auto published = publish();
    if (published.has_value()) {
        spdlog::info("keyring mirror is in place");
        return;
    }
    spdlog::error("keyring mirror: {}", published.error().message);
}

bool Proxy::is_drained() const {
    return service_->sessions.load() == 0;
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
    set_up_log(settings->log_level);
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
    const auto home = mirror::check_home((*snapshot)->settings);
    if (!home.has_value()) {
        return refuse_to_start(home.error().message);
    }
    session::Service service;
    service.custody = std::move(*custody);
    Proxy proxy(service, std::move(*snapshot));
    const auto published = proxy.publish();
    if (!published.has_value()) {
        return refuse_to_start(published.error().message);
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
