#pragma once

#include "keyshare/tenant/commands.hpp"

#include <functional>

namespace CLI {
class App;
}

namespace pgveil::tenant {

/// What a subcommand does once everything is parsed.
using Action = std::function<Result<void>(const Context&)>;

struct TpmArguments {
    BootstrapArguments home;
    ApprovalArguments approval;
    AttestArguments attest;
};

/// The subcommands for proxies with a TPM: init, approver, approve, attest.
void add_tpm_commands(CLI::App& app, TpmArguments& to, Action& action);

}  // namespace pgveil::tenant
