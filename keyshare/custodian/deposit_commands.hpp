#pragma once

#include "keyshare/custodian/group_commands.hpp"

namespace pgveil::custodian {

/// Adds `deposit key | create | fetch | verify`; the one that was written stands in `action`.
void add_deposit_commands(CLI::App& app, GroupAction& action);

}  // namespace pgveil::custodian
