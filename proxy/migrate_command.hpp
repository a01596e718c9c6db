#pragma once

#include "proxy/migration/migration.hpp"

#include <string>

namespace pgveil::proxy {

/// `pgveil migrate` and `pgveil unmigrate`, with the policy that the settings name.
/// Returns 0 when the goal is reached, kExitFailed if something failed at work, kExitConfiguration
/// if a person has to change something first. Interrupted or failed, it goes on when run again.
int migrate(
    const std::string& settings_file, const migration::Request& request, migration::Goal goal
);

}  // namespace pgveil::proxy
