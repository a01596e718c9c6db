#include "proxy/ending.hpp"

#include "net/service_manager.hpp"
#include "proxy/log/log.hpp"
#include "proxy/session/worker.hpp"

namespace pgveil::proxy {

namespace {

constexpr std::chrono::seconds kFarewell{1};  // for clients to read why their sessions ended

void announce(Pace pace) {
    if (pace == Pace::kFast) {
        log::info("stopping: no new connections, all sessions end");
        net::notify_service_manager("STOPPING=1");
    } else {
        log::info("draining: no new connections, sessions end between transactions");
        net::notify_service_manager("STOPPING=1\nSTATUS=Waiting for transactions to end");
    }
}

}  // namespace

void Ending::begin(Pace pace, std::chrono::milliseconds drain) {
    if (pace_ && *pace_ >= pace) {
        return;
    }
    pace_ = pace;
    service_->draining = true;
    const bool is_fast = pace == Pace::kFast;
    until_ = std::chrono::steady_clock::now() + (is_fast ? kFarewell : drain);
    announce(pace);
    for (const session::WorkerHandle& each : service_->workers) {
        if (is_fast) {
            each.worker->end_sessions();
        } else {
            each.worker->drain();
        }
    }
}

bool Ending::is_over() {
    const bool is_late = std::chrono::steady_clock::now() >= until_;
    if (is_drained() || (is_late && pace_ == Pace::kFast)) {
        return true;
    }
    if (is_late) {
        log::warn("the time for open transactions is over");
        begin(Pace::kFast, {});
    }
    return false;
}

bool Ending::is_drained() const {
    return service_->sessions.load() == 0 && service_->console_commands.load() == 0;
}

}  // namespace pgveil::proxy
