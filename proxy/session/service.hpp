#pragma once

#include "keyshare/store/proxy_custody.hpp"
#include "proxy/relay/definition_count.hpp"
#include "proxy/session/bootstrap_throttle.hpp"
#include "proxy/session/zone_files.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace pgveil::session {

/// What all workers share; every member may be used from any thread. Outlives the workers.
struct Service {
    std::shared_ptr<store::ProxyCustody> custody;
    ZoneFiles zones;
    BootstrapThrottle throttle;
    std::shared_ptr<relay::DefinitionCount> definitions =
        std::make_shared<relay::DefinitionCount>();
    std::atomic<std::uint64_t> session_ids{0};
    std::atomic<std::uint32_t> sessions{0};  ///< logged-in sessions, for limits.sessions
};

/// Unix time in seconds.
std::int64_t unix_time_s();

}  // namespace pgveil::session
