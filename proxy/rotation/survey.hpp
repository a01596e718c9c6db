#pragma once

#include "proxy/migration/progress.hpp"
#include "proxy/rotation/group_keys.hpp"
#include "proxy/rotation/stored.hpp"

#include <cstdint>
#include <string>

namespace pgveil::rotation {

/// What stands in the way of the end of a group's former keys.
class Survey {
public:
    Survey(
        migration::Progress& progress,
        const config::Policy& policy,
        const std::string& group,
        const GroupKeys& keys
    )
        : progress_(progress), policy_(policy), group_(group), keys_(keys) {}

    /// Looks into the database `name` of the server of `url`, and says what it finds: values under
    /// former keys, and searchable columns whose new values come under one. Returns how much.
    Result<std::int64_t> left_in(const std::string& url, const std::string& name) const;

private:
    Result<std::int64_t> values(Connection& database, const std::string& name) const;
    Result<std::int64_t> columns(Connection& database, const std::string& name) const;

    migration::Progress& progress_;
    const config::Policy& policy_;
    const std::string& group_;
    const GroupKeys& keys_;
};

}  // namespace pgveil::rotation
