#pragma once

#include "proxy/session/service.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace pgveil::proxy {

/// How a proxy ends: between transactions, or at once.
enum class Pace : std::uint8_t { kDrain, kFast };

/// The end of a running proxy: load balancers get notice, workers accept no more, sessions end, and
/// after some time nobody is waited for. `service` outlives it. Main thread.
class Ending {
public:
    explicit Ending(session::Service& service) : service_(&service) {}

    bool has_begun() const { return pace_.has_value(); }

    /// A fast end may follow a drain, and not the other way round. A drain leaves everything as it
    /// is for drain_notice_ms, while readiness says no, and becomes a fast end after drain_ms more.
    void begin(Pace pace, const config::TimeoutSettings& timeouts);

    /// Often, once it has begun: true when the proxy may stop.
    bool is_over();

private:
    void begin(Pace pace, std::chrono::milliseconds notice, std::chrono::milliseconds drain);
    bool is_drained() const;
    void drain();

    session::Service* service_;
    std::optional<Pace> pace_;
    std::chrono::steady_clock::time_point notice_until_;
    std::chrono::steady_clock::time_point until_;
    bool is_in_notice_ = false;
};

}  // namespace pgveil::proxy
