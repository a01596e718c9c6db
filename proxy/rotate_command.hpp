#pragma once

#include "proxy/rotation/rotation.hpp"

#include <string>

namespace pgveil::proxy {

/// `pgveil rotate-data`, with the policy and the home database that the settings name. Returns 0
/// when nothing is left under a former key, kExitFailed if something is or failed at work,
/// kExitConfiguration if a person has to change something first. Interrupted or failed, it goes on
/// when run again.
int rotate_data(const std::string& settings_file, const rotation::Request& request);

}  // namespace pgveil::proxy
