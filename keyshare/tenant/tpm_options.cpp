#include "keyshare/tenant/tpm_options.hpp"

#include <CLI/CLI.hpp>
#include <utility>

namespace pgveil::tenant {

namespace {

void add_init(CLI::App& app, BootstrapArguments& to, Action& action) {
    CLI::App* init = app.add_subcommand(
        "init", "Make the home before there is a proxy: prints the keys that its order needs"
    );
    init->add_option("--tenant", to.tenant, "The tenant, as the proxy will name it")
        ->capture_default_str();
    init->add_option("--group", to.groups, "A key group with its own TK (repeat)")
        ->allow_extra_args(false)
        ->capture_default_str();
    init->add_option("--test-scrypt-log2-n", to.scrypt_log_n, "Cheaper scrypt, for tests only")
        ->group("");
    init->callback([&to, &action] {
        action = [&to](const Context& context) {
            return init_home(context, to);
        };
    });
}

void add_approvals(CLI::App& app, ApprovalArguments& to, Action& action) {
    app.add_subcommand("approver", "Print the key for a proxy's setting seal.tpm.approver")
        ->callback([&action] { action = show_approver; });
    CLI::App* command = app.add_subcommand(
        "approve", "Let a proxy's TPM release its store key to what `pgveil measure` printed"
    );
    command->add_option("file", to.file, "The measurement")->required();
    command->add_option("--binary", to.binary, "Only if this is the program")->type_name("FILE");
    command->add_option("--settings", to.settings, "Only if these are the settings")
        ->type_name("FILE");
    command->add_option("--policy", to.policy, "Only if this is the policy")->type_name("FILE");
    command->callback([&to, &action] {
        action = [&to](const Context& context) {
            return approve(context, to);
        };
    });
}

void add_attest(CLI::App& app, AttestArguments& to, Action& action) {
    CLI::App* attest =
        app.add_subcommand("attest", "Let a proxy's TPM show what it is")->require_subcommand(1);
    CLI::App* ask = attest->add_subcommand(
        "ask", "Pin a TPM and print a challenge; shares are renewed only once it has answered"
    );
    ask->add_option("file", to.file, "Its keys, as `pgveil attest` prints them")->required();
    auto* endorsement =
        ask->add_option("--endorsement", to.endorsement, "Fingerprint of the TPM that it must be");
    ask->add_option("--ek-roots", to.ek_roots, "Any TPM that one of these makers (PEM) certifies")
        ->type_name("FILE")
        ->excludes(endorsement);
    ask->add_option(
        "--identity", to.identity, "Before bootstrap or adopt: the proxy's, as ordered"
    );
    CLI::App* verify = attest->add_subcommand("verify", "Judge what the TPM has answered");
    verify->add_option("file", to.file, "What `pgveil attest --challenge` printed")->required();
    for (const auto& [command, run] :
         {std::pair(ask, &ask_for_evidence), std::pair(verify, &verify_evidence)}) {
        command->callback([&to, &action, run = run] {
            action = [&to, run](const Context& context) {
                return run(context, to);
            };
        });
    }
}

}  // namespace

void add_tpm_commands(CLI::App& app, TpmArguments& to, Action& action) {
    add_init(app, to.home, action);
    add_approvals(app, to.approval, action);
    add_attest(app, to.attest, action);
}

}  // namespace pgveil::tenant
