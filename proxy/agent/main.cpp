#include "config/agent_settings.hpp"
#include "keyshare/user/process.hpp"
#include "keyshare/user/terminal.hpp"
#include "proxy/agent/ending_signals.hpp"
#include "proxy/agent/server.hpp"
#include "proxy/agent/snapshot.hpp"
#include "proxy/agent/web_agent.hpp"
#include "proxy/log/log.hpp"

#include <algorithm>
#include <CLI/CLI.hpp>
#include <cstddef>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

namespace {

using pgveil::user::Console;
using pgveil::user::Result;

struct Arguments {
    std::string config;
    std::optional<int> passphrase_fd;
    pgveil::agent::WebArguments web;
};

Result<void> serve(const Arguments& arguments) {
    auto settings = pgveil::config::load_agent_settings(arguments.config);
    if (!settings.has_value()) {
        return pgveil::user::unusable(settings.error().message);
    }
    if (const auto guarded = pgveil::user::guard_process(settings->arena_size()); !guarded) {
        return guarded.error();
    }
    pgveil::log::set_up(settings->log);
    auto snapshot = pgveil::agent::load_snapshot(std::move(*settings), arguments.passphrase_fd);
    if (!snapshot.has_value()) {
        return snapshot.error();
    }
    std::optional<pgveil::agent::ShareTable> table;
    if (const std::string& directory = (*snapshot)->settings.share_table; !directory.empty()) {
        auto opened = pgveil::agent::ShareTable::open(directory);
        if (!opened) {
            return opened.error();
        }
        table = std::move(*opened);
    }
    pgveil::agent::block_signals(pgveil::agent::served_signals());
    pgveil::agent::Server server(std::move(*snapshot), std::move(table));
    if (const auto opened = server.open(); !opened.has_value()) {
        return pgveil::user::unusable(opened.error().message);
    }
    server.run();
    return {};
}

Result<void> serve_http(const Arguments& arguments) {
    const std::size_t arena_size = pgveil::agent::WebAgent::arena_size();
    if (const auto guarded = pgveil::user::guard_process(arena_size); !guarded) {
        return guarded.error();
    }
    pgveil::log::set_up({});
    return pgveil::agent::serve_web(arguments.web);
}

CLI::App* add_http(CLI::App& app, pgveil::agent::WebArguments& to) {
    CLI::App* const command = app.add_subcommand(
        "http", "Add one user's shares to the requests of the browser on this machine"
    );
    command->add_option("--key", to.key_file, "The user's key file, UID.user")
        ->required()
        ->type_name("FILE");
    auto* const file = command->add_option(
        "--passphrase-file", to.passphrase.file, "Its passphrase from this file (0600)"
    );
    file->type_name("FILE");
    command
        ->add_option(
            "--passphrase-fd", to.passphrase.descriptor, "The same from this descriptor, one line"
        )
        ->type_name("N")
        ->check(CLI::NonNegativeNumber)
        ->excludes(file);
    command
        ->add_option(
            "--application",
            to.application,
            "The web application: https://HOST or https://HOST:PORT"
        )
        ->required()
        ->type_name("URL");
    command
        ->add_option(
            "--statement", to.statement, "Where it serves what SELECT pgveil.token_key() returns"
        )
        ->type_name("PATH")
        ->capture_default_str();
    command->add_option("--ca", to.authority_file, "Authorities for its certificate, PEM")
        ->type_name("FILE")
        ->capture_default_str();
    command->add_option("--host", to.host, "Where to listen; no network reaches it")
        ->check(CLI::IsMember({"127.0.0.1", "::1"}))
        ->capture_default_str();
    command->add_option("--port", to.port, "The port there")
        ->check(CLI::Range(1, 65535))
        ->capture_default_str();
    command->add_option("--valid", to.valid_s, "Seconds until a token expires")
        ->check(CLI::Range(2, 86400))
        ->capture_default_str();
    return command;
}

CLI::App* add_serve(CLI::App& app, Arguments& to) {
    CLI::App* const command = app.add_subcommand("serve", "Run the agent for PostgreSQL clients");
    command->add_option("--config", to.config, "Settings file (agent.json)")
        ->required()
        ->type_name("FILE");
    command
        ->add_option(
            "--passphrase-fd",
            to.passphrase_fd,
            "Passphrases that no passphrase_file gives from this descriptor, one line each in the "
            "order of the roles; without it they are asked for"
        )
        ->type_name("N")
        ->check(CLI::NonNegativeNumber);
    return command;
}

/// The arguments, last one first, as CLI11 takes them. `--http` in the first place is `http`.
std::vector<std::string> reversed_arguments(int argc, char** argv) {
    std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    if (!arguments.empty() && arguments.front() == "--http") {
        arguments.front() = "http";
    }
    std::reverse(arguments.begin(), arguments.end());
    return arguments;
}

int run(int argc, char** argv) {
    const Console console("pgveil-agent");
    CLI::App app(
        "pgveil-agent: adds the shares of users to the sessions of an application that cannot be "
        "changed, or to the requests of a browser"
    );
    app.name("pgveil-agent");
    app.footer(pgveil::user::kMemoryHelp);
    app.set_version_flag("--version", "pgveil-agent " PGVEIL_VERSION);
    app.require_subcommand(1);
    Arguments arguments;
    add_serve(app, arguments);
    const CLI::App* const http = add_http(app, arguments.web);
    try {
        app.parse(reversed_arguments(argc, argv));
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : static_cast<int>(pgveil::user::Exit::kUsage);
    }
    const auto done = http->parsed() ? serve_http(arguments) : serve(arguments);
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
