#pragma once

#include "keyshare/store/proxy_custody.hpp"
#include "net/loop.hpp"
#include "proxy/alarm/watch.hpp"
#include "proxy/audit/writer.hpp"
#include "proxy/metrics/registry.hpp"
#include "proxy/relay/definition_count.hpp"
#include "proxy/session/admission.hpp"
#include "proxy/session/bootstrap_throttle.hpp"
#include "proxy/session/cancel_routes.hpp"
#include "proxy/session/control.hpp"
#include "proxy/session/secret_source.hpp"
#include "proxy/session/zone_files.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pgveil::session {

class Worker;

/// A worker, for other threads: what is posted to it runs on its thread, or never.
struct WorkerHandle {
    net::Remote remote;
    Worker* worker;
};

/// What all workers share; every member may be used from any thread. Outlives the workers.
struct Service {
    std::shared_ptr<store::ProxyCustody> custody;
    ZoneFiles zones;
    BootstrapThrottle throttle;
    Admission admission;
    std::shared_ptr<SecretSource> secrets;  ///< for auth_query
    SecretCache found_secrets;
    CancelRoutes routes;
    std::shared_ptr<relay::DefinitionCount> definitions =
        std::make_shared<relay::DefinitionCount>();
    std::atomic<std::uint64_t> session_ids{0};
    std::atomic<std::uint32_t> sessions{0};  ///< logged-in sessions, for limits.sessions
    metrics::Registry tallies;               ///< what the workers count
    std::atomic<bool> store_in_order{true};  ///< the last look after the share store succeeded
    std::atomic<bool> paused{false};         ///< new transactions wait
    std::atomic<bool> draining{false};       ///< the proxy has been told to stop
    std::atomic<std::int64_t> loaded_s{0};   ///< when the snapshot now in force was loaded
    std::atomic<std::uint32_t> consoles{0};  ///< sessions of the console
    std::atomic<std::uint32_t> console_commands{0};  ///< of theirs that have no answer yet
    Control control;
    std::unique_ptr<alarm::Watch> alarms;  ///< set before the workers are made
    std::unique_ptr<audit::Writer> audit;  ///< null: off; set before the workers are made
    // Set before the workers start.
    std::vector<WorkerHandle> workers;
    std::string version;
    std::int64_t started_s = 0;
};

/// Gives the audit log an event of now; does nothing where there is no log. Any thread.
void record(const Service& service, audit::Record event);

/// Unix time in seconds, in milliseconds.
std::int64_t unix_time_s();
std::int64_t unix_time_ms();

}  // namespace pgveil::session
