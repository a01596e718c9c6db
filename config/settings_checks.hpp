#pragma once

#include "config/problem.hpp"
#include "config/settings.hpp"

#include <optional>

namespace pgveil::config {

/// In what was read, where single values fit the schema and do not fit together.
std::optional<Problem> find_contradiction(const Settings& settings);

}  // namespace pgveil::config
