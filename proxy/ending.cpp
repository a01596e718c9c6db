#include "proxy/ending.hpp"

#include "net/service_manager.hpp"
#include "proxy/log/log.hpp"
#include "proxy/session/worker.hpp"

namespace pgveil::proxy {

namespace {

constexpr std::chrono::seconds kFarewell{1};  // for clients to read why their sessions ended

void announce(Pace pace, std::chrono::milliseconds notice) {
    if (pace == Pace::kFast) {
        log::info("stopping: no new connections, all sessions end");
        net::notify_service_manager("STOPPING=1");
        return;
    }
    if (notice > std::chrono::milliseconds::zero()) {
        log::info(
            "told to drain: /readyz says so, sessions go on for {notice} ms",
            {{"notice", notice.count()}}
        );
    }
    net::notify_service_manager("STOPPING=1\nSTATUS=Waiting for transactions to end");
}

}  // namespace

void Ending::begin(Pace pace, const config::TimeoutSettings& timeouts) {
    begin(
        pace,
        std::chrono::milliseconds(pace == Pace::kDrain ? timeouts.drain_notice_ms : 0),
        std::chrono::milliseconds(timeouts.drain_ms)
    );
}

void Ending::begin(Pace pace, std::chrono::milliseconds notice, std::chrono::milliseconds drain) {
    if (pace_ && *pace_ >= pace) {
        return;
    }
    pace_ = pace;
    service_->draining = true;
    announce(pace, notice);
    notice_until_ = std::chrono::steady_clock::now() + notice;
    is_in_notice_ = pace == Pace::kDrain;
    until_ = notice_until_ + (is_in_notice_ ? drain : kFarewell);
    if (is_in_notice_) {
        if (notice == std::chrono::milliseconds::zero()) {
            this->drain();
        }
        return;
    }
    for (const session::WorkerHandle& each : service_->workers) {
        each.worker->end_sessions();
    }
}

void Ending::drain() {
    log::info("draining: no new connections, sessions end between transactions");
    is_in_notice_ = false;
    for (const session::WorkerHandle& each : service_->workers) {
        each.worker->drain();
    }
}

bool Ending::is_over() {
    const auto now = std::chrono::steady_clock::now();
    if (is_in_notice_) {
        if (now >= notice_until_) {
            drain();
        }
        return false;
    }
    const bool is_late = now >= until_;
    if (is_drained() || (is_late && pace_ == Pace::kFast)) {
        return true;
    }
    if (is_late) {
        log::warn("the time for open transactions is over");
        begin(Pace::kFast, std::chrono::milliseconds(0), std::chrono::milliseconds(0));
    }
    return false;
}

bool Ending::is_drained() const {
    return service_->sessions.load() == 0 && service_->console_commands.load() == 0;
}

}  // namespace pgveil::proxy
