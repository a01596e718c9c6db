#include "proxy/session/pause.hpp"

#include "proxy/session/worker.hpp"

namespace pgveil::session {

bool begin_pause(Service& service) {
    return !service.paused.exchange(true);
}

bool end_pause(Service& service) {
    const bool was_paused = service.paused.exchange(false);
    if (was_paused) {
        for (const WorkerHandle& each : service.workers) {
            each.remote.post([worker = each.worker] { worker->resume(); });
        }
    }
    return was_paused;
}

}  // namespace pgveil::session
