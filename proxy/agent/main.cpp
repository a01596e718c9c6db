#include "config/agent_settings.hpp"
#include "keyshare/user/process.hpp"
#include "keyshare/user/terminal.hpp"
#include "proxy/agent/accounts.hpp"
#include "proxy/agent/server.hpp"
#include "proxy/log/log.hpp"

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <iostream>
#include <optional>
#include <string>

namespace {

using pgveil::user::Console;
using pgveil::user::Result;

struct Arguments {
    std::string config;
    std::optional<int> passphrase_fd;
};

/// The loop's thread inherits the mask; run() takes the signals one by one.
void block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int each : {SIGTERM, SIGINT, SIGQUIT}) {
        sigaddset(&signals, each);
    }
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    (void)std::signal(SIGPIPE, SIG_IGN);
}

Result<void> serve(const Arguments& arguments) {
    auto settings = pgveil::config::load_agent_settings(arguments.config);
    if (!settings.has_value()) {
        return pgveil::user::unusable(settings.error().message);
    }
    if (const auto guarded = pgveil::user::guard_process(settings->arena_size()); !guarded) {
        return guarded.error();
    }
    pgveil::log::set_up(settings->log);
    auto accounts = pgveil::agent::Accounts::load(*settings, arguments.passphrase_fd);
    if (!accounts.has_value()) {
        return accounts.error();
    }
    std::optional<pgveil::agent::ShareTable> table;
    if (!settings->share_table.empty()) {
        auto opened = pgveil::agent::ShareTable::open(settings->share_table);
        if (!opened) {
            return opened.error();
        }
        table = std::move(*opened);
    }
    block_signals();
    pgveil::agent::Server server(std::move(*settings), std::move(*accounts), std::move(table));
    if (const auto opened = server.open(); !opened.has_value()) {
        return pgveil::user::unusable(opened.error().message);
    }
    server.run();
    return {};
}

int run(int argc, char** argv) {
    const Console console("pgveil-agent");
    CLI::App app(
        "pgveil-agent: gives the sessions of an application that cannot be changed their shares"
    );
    app.footer(pgveil::user::kMemoryHelp);
    app.set_version_flag("--version", "pgveil-agent " PGVEIL_VERSION);
    app.require_subcommand(1);
    Arguments arguments;
    CLI::App* const command = app.add_subcommand("serve", "Run the agent");
    command->add_option("--config", arguments.config, "Settings file (agent.json)")
        ->required()
        ->type_name("FILE");
    command
        ->add_option(
            "--passphrase-fd",
            arguments.passphrase_fd,
            "Passphrases that no passphrase_file gives from this descriptor, one line each in the "
            "order of the roles; without it they are asked for"
        )
        ->type_name("N")
        ->check(CLI::NonNegativeNumber);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : static_cast<int>(pgveil::user::Exit::kUsage);
    }
    const auto done = serve(arguments);
    return done ? 0 : console.fail(done.error());
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "pgveil-agent: " << error.what() << "\n";
        return 1;
    }
}
