#pragma once

#include "proxy/session/startup.hpp"
#include "proxy/session/upstream_connection.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace pgveil::session {

/// Which of several database servers a cancel key belongs to. Keys pass through the proxy
/// unchanged, and only their server knows them. Used by every worker; the lock is taken at logins
/// and cancels only.
class CancelRoutes {
public:
    void add(const CancelKey& key, const UpstreamTarget& target);
    void remove(const CancelKey& key);

    /// Nothing for a key of another proxy, or of a session that has ended.
    std::optional<UpstreamTarget> find(const CancelKey& key) const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, UpstreamTarget, std::less<>> routes_;
};

}  // namespace pgveil::session
