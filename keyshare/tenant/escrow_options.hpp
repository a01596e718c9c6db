#pragma once

#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/tpm_options.hpp"

#include <string>

namespace CLI {
class App;
}

namespace pgveil::tenant {

/// The options --NAME-file and --NAME-fd.
void add_secret(
    CLI::App& app, const std::string& name, user::SecretSource& source, const std::string& what
);

/// The subcommands of escrow: create, verify, recover, refresh.
void add_escrow_commands(CLI::App& app, EscrowArguments& to, Action& action);

}  // namespace pgveil::tenant
