#pragma once

#include "keyshare/custodian/group_commands.hpp"

namespace pgveil::custodian {

/// Adds `status`: what GET /v1/health of each custodian says. As add_group_commands().
void add_status_command(CLI::App& app, GroupAction& action);

}  // namespace pgveil::custodian
