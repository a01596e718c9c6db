#pragma once

#include "keyshare/custodian/group_commands.hpp"

namespace pgveil::custodian {

/// Adds `log show | verify`, as add_group_commands() adds its own.
void add_log_commands(CLI::App& app, GroupAction& action);

}  // namespace pgveil::custodian
