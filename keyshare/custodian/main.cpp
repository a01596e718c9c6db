#include "config/custodian_settings.hpp"
#include "keyshare/core/base64url.hpp"
#include "keyshare/custodian/deposit_commands.hpp"
#include "keyshare/custodian/group_commands.hpp"
#include "keyshare/custodian/log_commands.hpp"
#include "keyshare/custodian/serve.hpp"
#include "keyshare/custodian/status_command.hpp"
#include "keyshare/quorum/curve.hpp"
#include "keyshare/user/process.hpp"
#include "keyshare/user/terminal.hpp"

#include <CLI/CLI.hpp>
#include <cstddef>
#include <exception>
#include <iostream>
#include <string>

namespace {

using pgveil::user::Console;
using pgveil::user::Result;

constexpr std::size_t kArenaBytes = 7U << 20U;

Result<pgveil::config::CustodianSettings> settings_in(const std::string& file) {
    auto settings = pgveil::config::load_custodian_settings(file);
    if (!settings.has_value()) {
        return pgveil::user::unusable(settings.error().message);
    }
    return *std::move(settings);
}

Result<void> serve(const std::string& config) {
    if (const auto guarded = pgveil::user::guard_process(kArenaBytes); !guarded) {
        return guarded.error();
    }
    const auto settings = settings_in(config);
    if (!settings) {
        return settings.error();
    }
    const sigset_t signals = pgveil::custodian::block_signals();
    return pgveil::custodian::serve(*settings, signals);
}

Result<void> print_identity(const std::string& config, const Console& console) {
    if (const auto guarded = pgveil::user::guard_process(); !guarded) {
        return guarded.error();
    }
    const auto settings = settings_in(config);
    if (!settings) {
        return settings.error();
    }
    const auto store = pgveil::custodian::open_store(*settings);
    if (!store) {
        return store.error();
    }
    const auto point = store->identity().verifying_key().point();
    console.print(pgveil::core::base64url_encode(pgveil::quorum::compressed(point)) + "\n");
    return {};
}

int run(int argc, char** argv) {
    const Console console("pgveil-custodian");
    CLI::App app("pgveil-custodian: keeps one share of keys that any t of n custodians can use");
    app.name("pgveil-custodian");
    app.footer(pgveil::user::kMemoryHelp);
    app.set_version_flag("--version", "pgveil-custodian " PGVEIL_VERSION);
    app.require_subcommand(1);
    std::string config;
    const auto with_config = [&](CLI::App* command) {
        command->add_option("--config", config, "Settings file (custodian.json)")
            ->required()
            ->type_name("FILE");
        return command;
    };
    const CLI::App* const serving = with_config(app.add_subcommand("serve", "Run the custodian"));
    const CLI::App* const naming = with_config(app.add_subcommand(
        "identity", "Print the identity key for the settings of the other custodians"
    ));
    pgveil::custodian::GroupAction group_action;
    pgveil::custodian::add_group_commands(app, group_action);
    pgveil::custodian::add_deposit_commands(app, group_action);
    pgveil::custodian::add_log_commands(app, group_action);
    pgveil::custodian::add_status_command(app, group_action);
    Result<void> done;
    try {
        app.parse(argc, argv);
        if (serving->parsed()) {
            done = serve(config);
        } else if (naming->parsed()) {
            done = print_identity(config, console);
        } else if (group_action) {
            const auto guarded = pgveil::user::guard_process();
            done = guarded ? group_action(console) : guarded;
        }
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : static_cast<int>(pgveil::user::Exit::kUsage);
    }
    return done ? 0 : console.fail(done.error());
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "pgveil-custodian: " << error.what() << "\n";
        return 1;
    }
}
