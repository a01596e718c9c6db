#include "proxy/agent/server.hpp"

#include "net/service_manager.hpp"
#include "proxy/agent/ending_signals.hpp"
#include "proxy/agent/session.hpp"
#include "proxy/log/log.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>
#include <utility>

namespace pgveil::agent {

namespace {

constexpr std::chrono::seconds kDrainTime{60};
constexpr long kTickNanoseconds = 50'000'000;

session::UpstreamTarget target_of(const config::AgentSettings& settings) {
    session::UpstreamTarget target;
    target.host = settings.upstream_host;
    target.port = settings.upstream_port;
    target.connect_timeout = net::Duration(settings.connect_timeout_ms);
    target.role = "the pgveil proxy";
    target.tls_hint = "Set listen.tls in the proxy's settings.";
    return target;
}

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
    const sigset_t signals = ending_signals();
    const timespec tick{0, kTickNanoseconds};
    return std::max(sigtimedwait(&signals, nullptr, &tick), 0);
}

}  // namespace

Server::Server(config::AgentSettings settings, Accounts accounts, std::optional<ShareTable> table)
    : settings_(std::move(settings)),
      accounts_(std::move(accounts)),
      table_(std::move(table)),
      tokens_(settings_.token_valid_s, settings_.token_challenges),
      target_(target_of(settings_)),
      rules_(rules_of_clients()) {}

Server::~Server() = default;

net::Result<void> Server::open() {
    if (!target_.is_unix_socket()) {
        auto tls = net::TlsContext::load_client(settings_.upstream_ca);
        if (!tls.has_value()) {
            return tls.error();
        }
        target_.tls = std::move(*tls);
    }
    if (!settings_.host.empty()) {
        const net::Address address{settings_.host, settings_.port};
        if (auto free = net::Listener::check_free(address); !free.has_value()) {
            return free.error();
        }
        auto listener = net::Listener::open(loop_, address, on_accept());
        if (!listener.has_value()) {
            return listener.error();
        }
        listeners_.push_back(std::move(*listener));
        log::info(
            "listening on {host}:{port}", {{"host", settings_.host}, {"port", settings_.port}}
        );
    }
    if (settings_.unix_directory.empty()) {
        return {};
    }
    auto local = net::UnixListener::open(
        settings_.unix_directory, settings_.port, settings_.unix_permissions
    );
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
