#include "keyshare/custodian/deposit_commands.hpp"

#include "keyshare/custodian/deposits.hpp"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

namespace pgveil::custodian {
namespace {

CLI::Option* add_file(
    CLI::App& command, const std::string& option, std::string& to, const std::string& what
) {
    return command.add_option(option, to, what)->type_name("FILE");
}

void add_out(CLI::App& command, std::string& out, envelope::Existing& existing) {
    add_file(command, "--out", out, "Write here; - is standard output")->required();
    command.add_flag_callback(
        "--force",
        [&existing] { existing = envelope::Existing::kReplace; },
        "Replace files that exist"
    );
}

void add_key(CLI::App& deposit, GroupAction& action) {
    CLI::App* const command = deposit.add_subcommand(
        "key", "Make a private key, without which no number of custodians opens a deposit"
    );
    const auto to = std::make_shared<std::string>();
    add_file(*command, "--out", *to, "Write the private key here (0600)")->required();
    command->final_callback([to, &action] {
        action = [to](const user::Console& console) {
            return make_user_key(console, *to);
        };
    });
}

void add_deposit_create(CLI::App& deposit, GroupAction& action) {
    CLI::App* const command =
        deposit.add_subcommand("create", "Give a secret into the custody of a group, offline");
    const auto to = std::make_shared<CreateDeposit>();
    CLI::Option* const file =
        command->add_option("file", to->file, "The secret, up to 16 KiB; - is standard input");
    command
        ->add_flag(
            "--generate", to->is_generated, "Instead of a file: 32 random bytes, seen by nobody"
        )
        ->excludes(file);
    add_file(*command, "--group", to->group, "The file that `group create` wrote")->required();
    command
        ->add_option(
            "--keep",
            to->keeping,
            "What you keep: key (a private key), share (that of a member), or nothing"
        )
        ->required()
        ->type_name("WHAT")
        ->check(CLI::IsMember({"key", "share", "nothing"}));
    command->add_option("--for", to->user_key, "The public key that `deposit key` printed")
        ->type_name("PUBLICKEY");
    add_out(*command, to->out, to->existing);
    command->final_callback([to, &action] {
        action = [to](const user::Console& console) {
            return create_deposit(console, *to);
        };
    });
}

void add_deposit_fetch(CLI::App& deposit, GroupAction& action) {
    CLI::App* const command =
        deposit.add_subcommand("fetch", "Get a secret back with the help of custodians");
    const auto to = std::make_shared<FetchDeposit>();
    command->add_option("deposit", to->deposit, "The file that `deposit create` wrote")->required();
    add_file(
        *command,
        "--custodians",
        to->custodians,
        "Who the custodians are, and the certificate that says who asks (JSON)"
    )
        ->required();
    add_file(*command, "--group", to->group, "The file that `group create` wrote")->required();
    add_file(*command, "--key", to->user_key, "Your private key, for a deposit that needs it");
    add_file(
        *command,
        "--own",
        to->own,
        "Settings of your own custodian: its share is used here, without a server"
    );
    command->add_option("--purpose", to->purpose, "What for")
        ->type_name("TEXT")
        ->capture_default_str();
    add_file(*command, "--receipt", to->receipt, "Write here who took part, signed by each");
    add_out(*command, to->out, to->existing);
    command->final_callback([to, &action] {
        action = [to](const user::Console& console) {
            return fetch_deposit(console, *to);
        };
    });
}

void add_deposit_verify(CLI::App& deposit, GroupAction& action) {
    CLI::App* const command =
        deposit.add_subcommand("verify", "Check a receipt, and print who took part");
    const auto to = std::make_shared<VerifyReceipt>();
    command->add_option("receipt", to->receipt, "The file that `deposit fetch` wrote")->required();
    add_file(*command, "--group", to->group, "The group's file as it was then")->required();
    add_file(*command, "--deposit", to->deposit, "The deposit that it has to be of");
    command->final_callback([to, &action] {
        action = [to](const user::Console& console) {
            return verify_receipt(console, *to);
        };
    });
}

}  // namespace

void add_deposit_commands(CLI::App& app, GroupAction& action) {
    CLI::App* const deposit =
        app.add_subcommand("deposit", "Secrets in the custody of a group, to be had back");
    deposit->require_subcommand(1);
    add_key(*deposit, action);
    add_deposit_create(*deposit, action);
    add_deposit_fetch(*deposit, action);
    add_deposit_verify(*deposit, action);
}

}  // namespace pgveil::custodian
