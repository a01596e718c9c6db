#include "keyshare/envelope/commands.hpp"
#include "keyshare/user/process.hpp"

#include <algorithm>
#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <iostream>
#include <string>

namespace {

using namespace pgveil::envelope;
using pgveil::user::Console;
using pgveil::user::SecretSource;

using Action = std::function<Result<void>(const Console&)>;

struct Arguments {
    InitArguments init;
    RenewArguments renew;
    ReplaceArguments replace;
    SealArguments seal;
    OpenArguments open;
    std::string log_holder;
    std::string shown_file;
};

void add_secret(
    CLI::App& command, SecretSource& to, const std::string& option, const std::string& what
) {
    auto* file =
        command.add_option("--" + option + "-file", to.file, what + " from this file (0600)")
            ->type_name("FILE");
    command
        .add_option("--" + option + "-fd", to.descriptor, "The same from this descriptor, one line")
        ->type_name("N")
        ->check(CLI::NonNegativeNumber)
        ->excludes(file);
}

void add_output(CLI::App& command, std::string& out, Existing& existing) {
    command.add_option("--out", out, "Write here; - is standard output")->type_name("FILE");
    command.add_flag_callback(
        "--force", [&existing] { existing = Existing::kReplace; }, "Replace a file that exists"
    );
}

void add_directories(CLI::App& command, std::vector<std::string>& to, const std::string& what) {
    command.add_option("--holder", to, what)->required()->type_name("DIRECTORY");
}

/// The options that name whom to ask.
void add_who_helps(CLI::App& command, HolderArguments& to, std::string& requester) {
    auto* holder = command
                       .add_option(
                           "--holder",
                           to.directories,
                           "A holder's directory; with one only, the password is needed"
                       )
                       ->type_name("DIRECTORY");
    auto* password = command.add_flag(
        "--password", to.with_password, "Use password and recovery code besides the holders"
    );
    add_secret(command, to.password, "password", "Password of the third share");
    add_secret(command, to.code, "code", "Recovery code");
    auto* as = command.add_option("--as", requester, "Who asks (default: the login's name)")
                   ->type_name("NAME");
    auto* group =
        command
            .add_option(
                "--group", to.custodians.group, "The group of custodians that it is sealed to"
            )
            ->type_name("FILE");
    auto* custodians =
        command
            .add_option(
                "--custodians",
                to.custodians.askers,
                "Ask custodians: where they are, and the certificate that says who asks"
            )
            ->type_name("FILE")
            ->needs(group)
            ->excludes(holder)
            ->excludes(password)
            ->excludes(as);
    group->needs(custodians);
}

void add_init(CLI::App& app, Arguments& to, Action& action) {
    CLI::App* init = app.add_subcommand("init", "Make a group: holders' shares and a public key");
    init->add_option(
            "--holder",
            to.init.holders,
            "A holder and its directory, two or three of them; of two, a password protects the "
            "third share"
    )
        ->required()
        ->type_name("NAME=DIRECTORY");
    init->add_option("--key", to.init.key_file, "Write the public key here")
        ->required()
        ->type_name("FILE");
    add_secret(*init, to.init.password, "password", "Password of the third share");
    init->final_callback([&to, &action] {
        action = [&to](const Console& console) {
            return pgveil::envelope::init(console, to.init);
        };
    });
}

void add_seal(CLI::App& app, Arguments& to, Action& action) {
    CLI::App* seal = app.add_subcommand("seal", "Protect a file with the public key");
    seal->add_option("file", to.seal.file, "The file; - is standard input")->required();
    seal->add_option(
            "--key", to.seal.key_file, "The public key that init wrote, or custodians' group file"
    )
        ->required()
        ->type_name("FILE");
    add_output(*seal, to.seal.out, to.seal.existing);
    seal->add_option(
            "--for", to.seal.policy.who, "Who may have it opened; again for more; else anybody"
    )
        ->type_name("NAME");
    seal->add_option_function<std::string>(
            "--until",
            [&to](const std::string& text) {
                const auto time = parse_time(text);
                if (!time) {
                    throw CLI::ValidationError("--until", time.error().message);
                }
                to.seal.policy.until_s = *time;
            },
            "Until when: YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ, in UTC"
    )
        ->type_name("TIME");
    seal->add_option("--purpose", to.seal.policy.purpose, "What for")->type_name("TEXT");
    seal->final_callback([&to, &action] {
        std::vector<std::string>& who = to.seal.policy.who;
        std::sort(who.begin(), who.end());
        who.erase(std::unique(who.begin(), who.end()), who.end());
        action = [&to](const Console& console) {
            return pgveil::envelope::seal(console, to.seal);
        };
    });
}

void add_open(CLI::App& app, Arguments& to, Action& action) {
    CLI::App* open = app.add_subcommand("open", "Open a protected file with its holders");
    open->add_option("file", to.open.file, "The file; - is standard input")->required();
    add_who_helps(*open, to.open.holders, to.open.requester);
    add_output(*open, to.open.out, to.open.existing);
    open->add_option("--purpose", to.open.purpose, "What for")
        ->type_name("TEXT")
        ->capture_default_str();
    open->final_callback([&to, &action] {
        action = [&to](const Console& console) {
            return pgveil::envelope::open(console, to.open);
        };
    });
}

void add_replace(CLI::App& app, Arguments& to, Action& action) {
    CLI::App* replace = app.add_subcommand(
        "replace", "A new holder in the place of one that is lost, and new shares for all"
    );
    add_directories(
        *replace,
        to.replace.holders,
        "The directory of a holder that is left: both of them, or one where there is a password"
    );
    replace->add_option("--new", to.replace.newcomer, "The new holder and its directory")
        ->required()
        ->type_name("NAME=DIRECTORY");
    add_secret(*replace, to.replace.password, "password", "Password of the third share");
    add_secret(*replace, to.replace.code, "code", "Recovery code");
    replace->final_callback([&to, &action] {
        action = [&to](const Console& console) {
            return pgveil::envelope::replace(console, to.replace);
        };
    });
}

void add_small_commands(CLI::App& app, Arguments& to, Action& action) {
    CLI::App* renew = app.add_subcommand(
        "renew", "New shares, password and recovery code: one was lost, or may have been seen"
    );
    add_directories(*renew, to.renew.holders, "A holder's directory; all of them are needed");
    add_secret(*renew, to.renew.password, "password", "New password of the third share");
    renew->final_callback([&to, &action] {
        action = [&to](const Console& console) {
            return pgveil::envelope::renew(console, to.renew);
        };
    });
    add_replace(app, to, action);
    CLI::App* show = app.add_subcommand("show", "Print whom a file was protected for");
    show->add_option("file", to.shown_file, "The file; - is standard input")->required();
    show->final_callback([&to, &action] {
        action = [&to](const Console& console) {
            return pgveil::envelope::show(console, to.shown_file);
        };
    });
    CLI::App* log = app.add_subcommand("log", "Check the access log of a holder, and print it");
    log->add_option("--holder", to.log_holder, "Its directory")->required()->type_name("DIRECTORY");
    log->final_callback([&to, &action] {
        action = [&to](const Console& console) {
            return print_log(console, to.log_holder);
        };
    });
}

int run(int argc, char** argv) {
    const Console console("pgveil-envelope");
    if (auto guarded = pgveil::user::guard_process(); !guarded) {
        return console.fail(guarded.error());
    }
    CLI::App app("pgveil-envelope: files that two of three holders can open");
    app.footer(pgveil::user::kMemoryHelp);
    app.set_version_flag("--version", "pgveil-envelope " PGVEIL_VERSION);
    app.require_subcommand(1);
    Arguments arguments;
    Action action;
    add_init(app, arguments, action);
    add_seal(app, arguments, action);
    add_open(app, arguments, action);
    add_small_commands(app, arguments, action);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : static_cast<int>(pgveil::user::Exit::kUsage);
    }
    const auto done = action(console);
    return done ? 0 : console.fail(done.error());
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "pgveil-envelope: " << error.what() << "\n";
        return 1;
    }
}
