#include "proxy/session/worker.hpp"

#include "proxy/session/session.hpp"

#include <atomic>
#include <chrono>
#include <spdlog/spdlog.h>

namespace pgveil::session {

std::int64_t unix_time_s() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

Worker::Worker(Service& service, SnapshotPtr snapshot) : service_(&service) {
    environment_.custody = service.custody;
    environment_.definitions = service.definitions;
    environment_.random = &random_;
    environment_.zones = &service.zones;
    environment_.now_s = unix_time_s;
    environment_.now_ms = [this] {
        const auto now = loop_.now().time_since_epoch();
        return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    };
    environment_.on_refused = [](std::string_view request_id, std::string_view sqlstate) {
        spdlog::info("{} refused with {}", request_id, sqlstate);
    };
    environment_.on_repeated = [](std::string_view session_id, std::string_view column) {
        static std::atomic<std::uint64_t> count = 0;
        spdlog::warn(
            "session {}: a value of {} also left unencrypted in the same statement ({} since the "
            "start)",
            session_id,
            column,
            ++count
        );
    };
    adopt(std::move(snapshot));
}

Worker::~Worker() {
    stop();
    if (thread_.joinable()) {
        thread_.join();
    }
}

net::Result<void> Worker::listen(const net::Address& address) {
    auto listener = net::Listener::open(
        loop_, address, [this](std::unique_ptr<net::Stream> client) { accept(std::move(client)); }
    );
    if (!listener.has_value()) {
        return listener.error();
    }
    listener_ = std::move(*listener);
    return {};
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
        listener_->close();
        const std::vector<Session*> sessions = sessions_;
        for (Session* const session : sessions) {
            session->drain();
        }
    });
}

void Worker::reload(SnapshotPtr snapshot) {
    loop_.remote().post([this, fresh = std::move(snapshot)]() mutable { adopt(std::move(fresh)); });
}

void Worker::adopt(SnapshotPtr snapshot) {
    snapshot_ = std::move(snapshot);
    environment_.policy = snapshot_->policy;
    environment_.limits = snapshot_->settings.limits;
    environment_.plans.set_limit(snapshot_->settings.limits.plan_cache_bytes);
}

void Worker::accept(std::unique_ptr<net::Stream> client) {
    loop_.spawn(run_session(*this, std::move(client)));
}

}  // namespace pgveil::session
