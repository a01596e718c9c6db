#include "proxy/agent/server.hpp"

#include "net/service_manager.hpp"
#include "proxy/agent/ending_signals.hpp"
#include "proxy/agent/session.hpp"
#include "proxy/log/log.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <new>
#include <thread>
#include <utility>

namespace pgveil::agent {

namespace {

constexpr std::chrono::seconds kDrainTime{60};
constexpr long kTickNanoseconds = 50'000'000;

/// A connection never leaves this machine, so that nothing is asked of it in TLS.
session::StartupRules rules_of_clients() {
    session::StartupRules rules;
    rules.requires_tls = false;
    rules.exposes_shares = [](const wire::StartupMessage& /*message*/) {
        return false;
    };
    return rules;
}

/// Waits a tick for one of them; 0: none came.
int next_signal() {
    const sigset_t signals = served_signals();
    const timespec tick{0, kTickNanoseconds};
    return std::max(sigtimedwait(&signals, nullptr, &tick), 0);
}

void say_failed(const std::string& reason) {
    log::error("reload failed, the old configuration stays: {reason}", {{"reason", reason}});
}

/// The table stays as it is if a file of it is wrong.
void read_again(ShareTable& table, const std::string& directory) {
    try {
        auto fresh = ShareTable::open(directory);
        if (fresh) {
            table = std::move(*fresh);
            return;
        }
        log::error(
            "the share table stays as it was: {reason}", {{"reason", fresh.error().message}}
        );
    } catch (const std::bad_alloc&) {
        log::error("the share table stays as it was: out of memory for secrets");
    }
}

}  // namespace

Server::Server(SnapshotPtr snapshot, std::optional<ShareTable> table)
    : running_(std::move(snapshot)),
      snapshot_(running_),
      table_(std::move(table)),
      tokens_(snapshot_->settings.token_valid_s, snapshot_->settings.token_challenges),
      rules_(rules_of_clients()) {}

Server::~Server() = default;

net::Result<void> Server::open() {
    const config::AgentSettings& settings = snapshot_->settings;
    if (!settings.host.empty()) {
        const net::Address address{settings.host, settings.port};
        if (auto free = net::Listener::check_free(address); !free.has_value()) {
            return free.error();
        }
        auto listener = net::Listener::open(loop_, address, on_accept());
        if (!listener.has_value()) {
            return listener.error();
        }
        listeners_.push_back(std::move(*listener));
        log::info("listening on {host}:{port}", {{"host", settings.host}, {"port", settings.port}});
    }
    if (settings.unix_directory.empty()) {
        return {};
    }
    auto local =
        net::UnixListener::open(settings.unix_directory, settings.port, settings.unix_permissions);
    if (!local.has_value()) {
        return local.error();
    }
    auto shared = net::Listener::share(loop_, local->socket(), on_accept());
    if (!shared.has_value()) {
        return shared.error();
    }
    local_.emplace(std::move(*local));
    listeners_.push_back(std::move(*shared));
    log::info("listening on {path}", {{"path", local_->path()}});
    return {};
}

net::Listener::OnAccept Server::on_accept() {
    return [this](std::unique_ptr<net::Stream> client) {
        loop_.spawn(serve_client(*this, std::move(client)));
    };
}

void Server::run() {
    std::thread thread([this] { loop_.run(); });
    net::notify_service_manager("READY=1");
    using Clock = std::chrono::steady_clock;
    Clock::time_point until = Clock::time_point::max();
    for (;;) {
        const int signal = next_signal();
        if (signal == SIGHUP) {
            net::notify_reloading();
            reload();
            net::notify_service_manager("READY=1");
            continue;
        }
        const bool is_late = Clock::now() >= until;
        const bool is_drained = until != Clock::time_point::max() && session_count_ == 0;
        if (signal == SIGINT || signal == SIGQUIT || is_late || is_drained) {
            break;
        }
        if (signal != 0 && until != Clock::time_point::max()) {
            break;
        }
        if (signal != 0) {
            until = Clock::now() + kDrainTime;
            log::info("draining: no new connections, sessions end between transactions");
            net::notify_service_manager("STOPPING=1");
            loop_.remote().post([this] { drain(); });
        }
    }
    log::info("stopping");
    loop_.stop();
    thread.join();
    listeners_.clear();
}

/// Opening keys takes a while and asks the disk: it does not hold up the loop.
void Server::reload() {
    try {
        auto fresh = load_again(*running_);
        if (!fresh) {
            return say_failed(fresh.error().message);
        }
        running_ = fresh->snapshot;
        loop_.remote().post([this, taken = std::move(*fresh)] { take_up(taken); });
    } catch (const std::bad_alloc&) {
        say_failed("out of memory for secrets");
    }
}

/// On the loop's thread, which is the only one that writes the share table.
void Server::take_up(const Reloaded& fresh) {
    snapshot_ = fresh.snapshot;
    const config::AgentSettings& settings = snapshot_->settings;
    log::set_up(settings.log);
    tokens_.set(settings.token_valid_s, settings.token_challenges);
    if (table_) {
        read_again(*table_, settings.share_table);
    }
    for (const std::string& key : fresh.kept) {
        log::warn("{key} has changed: it takes effect at the next start", {{"key", key}});
    }
    log::info("reloaded {file}", {{"file", settings.file}});
    const std::vector<Session*> sessions = sessions_;
    for (Session* const session : sessions) {
        session->take_up();
    }
}

void Server::drain() {
    is_draining_ = true;
    for (const auto& listener : listeners_) {
        listener->close();
    }
    const std::vector<Session*> sessions = sessions_;
    for (Session* const session : sessions) {
        session->drain();
    }
}

std::uint64_t Server::enter(Session& session) {
    sessions_.push_back(&session);
    ++session_count_;
    return ++session_ids_;
}

void Server::leave(Session& session) {
    std::erase(sessions_, &session);
    --session_count_;
}

}  // namespace pgveil::agent
