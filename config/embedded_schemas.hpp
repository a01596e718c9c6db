#pragma once

#include <string_view>

namespace pgveil::config {

/// The text of config/pgveil.schema.json.
std::string_view settings_schema();

/// The text of config/policy.schema.json.
std::string_view policy_schema();

/// The text of config/agent.schema.json.
std::string_view agent_schema();

/// The text of config/custodian.schema.json.
std::string_view custodian_schema();

}  // namespace pgveil::config
