#include "keyshare/tenant/escrow_options.hpp"

#include <algorithm>
#include <CLI/CLI.hpp>
#include <utility>

namespace pgveil::tenant {

namespace {

void add_key(CLI::App& command, EscrowArguments& to, const std::string& what) {
    CLI::Option* key = command.add_option("--key", to.key_file, what)->type_name("FILE");
    key->required(command.get_name() == "create");
}

void add_file_options(CLI::App& command, EscrowArguments& to) {
    command.add_option("--for", to.who, "Who may have it opened; again for more; else anybody")
        ->allow_extra_args(false)
        ->type_name("NAME");
    command.add_flag("--force", to.replaces, "Replace a file that exists");
}

CLI::Option* add_holder(CLI::App& command, EscrowArguments& to, const std::string& what) {
    return command.add_option("--holder", to.holders.directories, what)
        ->allow_extra_args(false)
        ->type_name("DIRECTORY");
}

CLI::Option* add_custodians(CLI::App& command, EscrowArguments& to) {
    envelope::CustodianFiles& files = to.holders.custodians;
    CLI::Option* group =
        command.add_option("--group", files.group, "The group of custodians that it is sealed to")
            ->type_name("FILE");
    CLI::Option* custodians =
        command
            .add_option(
                "--custodians",
                files.askers,
                "Ask custodians: where they are, and the certificate that says who asks"
            )
            ->type_name("FILE")
            ->needs(group);
    group->needs(custodians);
    return custodians;
}

/// Of those who are asked for their part.
void add_who_helps(CLI::App& command, EscrowArguments& to) {
    CLI::Option* holder =
        add_holder(command, to, "A holder's directory; with one only, the password is needed");
    CLI::Option* password = command.add_flag(
        "--password", to.holders.with_password, "Use password and recovery code besides the holders"
    );
    add_secret(command, "password", to.holders.password, "Password of the third share");
    add_secret(command, "code", to.holders.code, "Recovery code");
    CLI::Option* as =
        command.add_option("--as", to.requester, "Who asks (default: the login's name)")
            ->type_name("NAME");
    add_custodians(command, to)->excludes(holder)->excludes(password)->excludes(as);
}

using Run = Result<void> (*)(const Context&, const EscrowArguments&);

CLI::App* add_one(
    CLI::App& escrow,
    const std::string& name,
    const std::string& what,
    std::pair<EscrowArguments*, Action*> to,
    Run run
) {
    CLI::App* command = escrow.add_subcommand(name, what);
    command->add_option("file", to.first->file, "The escrow file")->required();
    command->add_option("--test-scrypt-log2-n", to.first->scrypt_log_n, "For tests only")
        ->group("");
    command->callback([to, run] {
        std::vector<std::string>& who = to.first->who;
        std::sort(who.begin(), who.end());
        who.erase(std::unique(who.begin(), who.end()), who.end());
        *to.second = [arguments = to.first, run](const Context& context) {
            return run(context, *arguments);
        };
    });
    return command;
}

}  // namespace

void add_secret(
    CLI::App& app, const std::string& name, user::SecretSource& source, const std::string& what
) {
    auto* file = app.add_option("--" + name + "-file", source.file, what + " from this file (0600)")
                     ->type_name("FILE");
    app.add_option("--" + name + "-fd", source.descriptor, what + " from this descriptor, one line")
        ->type_name("N")
        ->check(CLI::NonNegativeNumber)
        ->excludes(file);
}

void add_escrow_commands(CLI::App& app, EscrowArguments& to, Action& action) {
    CLI::App* escrow =
        app.add_subcommand("escrow", "The home in a file that nobody opens alone (pgveil-envelope)")
            ->require_subcommand(1);
    const std::pair<EscrowArguments*, Action*> both(&to, &action);
    CLI::App* create = add_one(
        *escrow, "create", "Seal the whole home to a group's public key", both, escrow_create
    );
    add_key(
        *create,
        to,
        "The group's public key: what pgveil-envelope init wrote, or custodians' group file"
    );
    add_file_options(*create, to);
    CLI::App* verify = add_one(
        *escrow, "verify", "Prove that recovery would work, without recovering", both, escrow_verify
    );
    add_who_helps(*verify, to);
    CLI::App* recover = add_one(
        *escrow, "recover", "Make a home of the file, where there is none", both, escrow_recover
    );
    add_who_helps(*recover, to);
    CLI::App* refresh = add_one(
        *escrow,
        "refresh",
        "Seal the home as it is into another file, and give its holders new shares",
        both,
        escrow_refresh
    );
    add_key(*refresh, to, "Another group's public key (default: that of the last escrow)");
    add_file_options(*refresh, to);
    add_holder(
        *refresh, to, "A holder's directory; all of them: without any, shares stay as they are"
    );
    add_secret(*refresh, "password", to.holders.password, "New password of the third share");
}

}  // namespace pgveil::tenant
