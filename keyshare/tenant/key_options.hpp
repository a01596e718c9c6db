#pragma once

#include "keyshare/tenant/key_commands.hpp"
#include "keyshare/tenant/tpm_options.hpp"

namespace pgveil::tenant {

/// The subcommands of `pgveil-tenant key`.
void add_key_commands(CLI::App& app, KeyArguments& to, Action& action);

}  // namespace pgveil::tenant
