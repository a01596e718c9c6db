#pragma once

#include "config/settings.hpp"
#include "proxy/admin/console_command.hpp"

#include <optional>
#include <string_view>

namespace pgveil::admin {

enum class Rights { kNone, kShow, kAll };

/// Of a user who has logged in. Names compare byte for byte; who is in both lists may do
/// everything.
Rights rights_of(std::string_view user, const config::ConsoleSettings& settings);

/// "admin", "stats", "client".
std::string_view name_of(Rights rights);

/// Why `user` may not give this command (42501); nothing if it may. To be asked for every command,
/// with the settings now in force: a reload can take a right away from a session that is open.
std::optional<CommandError> objection_to(
    const Command& command, std::string_view user, const config::ConsoleSettings& settings
);

}  // namespace pgveil::admin
