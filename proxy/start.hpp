#pragma once

#include "config/settings.hpp"

#include <optional>
#include <string>

namespace pgveil::proxy {

/// Exit codes: 0 done, 1 failed at work, 2 wrong usage or configuration (one line says what).
inline constexpr int kExitFailed = 1;
inline constexpr int kExitConfiguration = 2;

/// Prints `message` as the one line that ends start-up, and returns kExitConfiguration.
int refuse_to_start(const std::string& message);

/// First thing of every verb that touches secrets: reads the settings, makes the locked arena, and
/// forbids core dumps. Prints the reason and returns nullopt if that cannot be done.
std::optional<config::Settings> start(const std::string& settings_file);

/// Each session takes two descriptors, and many systems begin with 1024. Without the right to more
/// the limit stays; connections beyond it wait.
void raise_descriptor_limit();

}  // namespace pgveil::proxy
