#include "keyshare/core/base64url.hpp"
#include "keyshare/share/challenge.hpp"
#include "keyshare/user/commands.hpp"
#include "keyshare/user/process.hpp"

#include <algorithm>
#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <iostream>
#include <string>

namespace {

using pgveil::user::Console;
using pgveil::user::Result;
using pgveil::user::TokenArguments;

using Action = std::function<Result<void>(const Console&)>;

struct Arguments {
    TokenArguments token;
    std::string app_share_file;
    std::vector<std::string> command;
};

constexpr std::uint32_t kCountMax = 1'000'000'000;

/// What the token is good for, where that is less than everything.
void add_scope_options(CLI::App& command, pgveil::share::TokenScope& to) {
    const std::string group = "What the token is good for (all of it by default)";
    command.add_flag("--read-only", to.read_only, "For statements that only read")->group(group);
    command
        .add_option_function<std::string>(
            "--tables",
            [&to](const std::string& text) {
                auto tables = pgveil::share::parse_scope_tables(text);
                if (!tables) {
                    throw CLI::ValidationError("--tables", tables.error().message);
                }
                to.tables = *std::move(tables);
            },
            "For these protected tables only: patients,billing.invoices"
        )
        ->type_name("LIST")
        ->group(group);
    command
        .add_flag("--maintain", to.maintain, "Also for the tables of migrations (pgveil migrate)")
        ->group(group);
    command.add_option("--role", to.role, "For logins of this database role only")
        ->type_name("NAME")
        ->group(group);
    command.add_option("--uses", to.uses, "For so many sessions")
        ->type_name("N")
        ->check(CLI::Range(1U, kCountMax))
        ->group(group);
    command.add_option("--statements", to.statements, "For so many statements")
        ->type_name("N")
        ->check(CLI::Range(1U, kCountMax))
        ->group(group);
}

/// Only where the session exists before its token is made.
void add_challenge(CLI::App& command, pgveil::share::TokenScope& to) {
    command
        .add_option_function<std::string>(
            "--challenge",
            [&to](const std::string& text) {
                const auto challenge = pgveil::share::parse_challenge(text);
                if (!challenge) {
                    throw CLI::ValidationError("--challenge", challenge.error().message);
                }
                to.challenge = *challenge;
            },
            "For the one session where SELECT pgveil.challenge() returned this; the clock of this "
            "machine may be wrong"
        )
        ->type_name("TEXT")
        ->group("What the token is good for (all of it by default)");
}

/// Only where that connection exists before its token is made.
void add_tls_exporter(CLI::App& command, pgveil::share::TokenScope& to) {
    command
        .add_option_function<std::string>(
            "--tls-exporter",
            [&to](const std::string& text) {
                const auto bytes = pgveil::core::base64url_decode(text);
                pgveil::share::Digest& exporter = to.tls.emplace();
                if (!bytes.has_value() || bytes->size() != exporter.size()) {
                    throw CLI::ValidationError(
                        "--tls-exporter", "not 32 bytes in base64url, as RFC 9266 has them"
                    );
                }
                std::ranges::copy(*bytes, exporter.begin());
            },
            "For the one TLS connection to the proxy whose tls-exporter (RFC 9266) this is"
        )
        ->type_name("TEXT")
        ->group("What the token is good for (all of it by default)");
}

void add_token_options(CLI::App& command, TokenArguments& to) {
    add_scope_options(command, to.scope);
    command.add_option("--key", to.key_file, "The user's key file, UID.user")
        ->required()
        ->type_name("FILE");
    auto* from = command.add_option(
        "--from",
        to.statement.url,
        "Ask the proxy for its token key: postgresql://USER@HOST:6543/DATABASE"
    );
    auto* statement = command
                          .add_option(
                              "--statement",
                              to.statement.file,
                              "A file with what SELECT pgveil.token_key() returned"
                          )
                          ->type_name("FILE");
    from->excludes(statement);
    command.add_option("--valid", to.validity_s, "Seconds until the token expires")
        ->check(CLI::Range(1, 86400))
        ->capture_default_str();
    auto* file = command
                     .add_option(
                         "--passphrase-file",
                         to.passphrase.file,
                         "Passphrase of the key file from this file (0600)"
                     )
                     ->type_name("FILE");
    command
        .add_option(
            "--passphrase-fd", to.passphrase.descriptor, "The same from this descriptor, one line"
        )
        ->type_name("N")
        ->check(CLI::NonNegativeNumber)
        ->excludes(file);
    command.parse_complete_callback([from, statement] {
        if (from->count() + statement->count() == 0) {
            throw CLI::RequiredError("--from URL or --statement FILE");
        }
    });
}

void add_app_share(CLI::App& command, Arguments& to) {
    command.add_option("--app-share", to.app_share_file, "The application's share, UID.app")
        ->required()
        ->type_name("FILE");
}

void add_commands(CLI::App& app, Arguments& to, Action& action) {
    CLI::App* token = app.add_subcommand("token", "Print a fresh token (pgvt1....)");
    add_token_options(*token, to.token);
    add_challenge(*token, to.token.scope);
    add_tls_exporter(*token, to.token.scope);
    token->final_callback([&to, &action] {
        action = [&to](const Console& console) {
            return print_token(console, to.token);
        };
    });
    CLI::App* options =
        app.add_subcommand("options", "Print PGOPTIONS with fresh shares, for scripts");
    add_token_options(*options, to.token);
    add_app_share(*options, to);
    options->final_callback([&to, &action] {
        action = [&to](const Console& console) {
            return print_options(console, to.token, to.app_share_file);
        };
    });
    CLI::App* exec =
        app.add_subcommand("exec", "Run a client with fresh shares: exec ... -- psql ...");
    add_token_options(*exec, to.token);
    add_app_share(*exec, to);
    exec->add_option("command", to.command, "The client and its arguments, after --")->required();
    exec->final_callback([&to, &action] {
        action = [&to](const Console& /*console*/) {
            return exec_command(to.token, to.app_share_file, to.command);
        };
    });
}

int run(int argc, char** argv) {
    const Console console("pgveil-user");
    if (auto guarded = pgveil::user::guard_process(); !guarded) {
        return console.fail(guarded.error());
    }
    CLI::App app("pgveil-user: tokens and sessions of one user");
    app.footer(pgveil::user::kMemoryHelp);
    app.set_version_flag("--version", "pgveil-user " PGVEIL_VERSION);
    app.require_subcommand(1);
    Arguments arguments;
    Action action;
    add_commands(app, arguments, action);
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
        std::cerr << "pgveil-user: " << error.what() << "\n";
        return 1;
    }
}
