#include "proxy/migrate_command.hpp"

#include "proxy/start.hpp"

namespace pgveil::proxy {

int migrate(
    const std::string& settings_file, const migration::Request& request, migration::Goal goal
) {
    const auto settings = start(settings_file);
    if (!settings) {
        return kExitConfiguration;
    }
    const auto policy = config::load_policy(settings->policy_path);
    if (!policy) {
        return refuse_to_start(policy.error().message);
    }
    migration::Request complete = request;
    complete.catalog_ttl_ms = settings->limits.catalog_ttl_ms;
    return migration::run(**policy, complete, goal);
}

}  // namespace pgveil::proxy
