#pragma once

#include "config/settings.hpp"

#include <optional>
#include <string>

namespace pgveil::config {

/// What the schema cannot say: the pointer and the problem.
struct Problem {
    std::string pointer;
    std::string text;
};

/// In what was read, where single values fit the schema and do not fit together.
std::optional<Problem> find_contradiction(const Settings& settings);

}  // namespace pgveil::config
