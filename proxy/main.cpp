#include "proxy/check.hpp"
#include "proxy/order.hpp"
#include "proxy/serve.hpp"

#include <array>
#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

namespace {

/// Verbs of DESIGN section 2 that this version does not have yet.
constexpr std::array<const char*, 7> kLater = {
    "explain", "migrate", "unmigrate", "rotate-data", "lock", "unlock", "audit"};

int run(int argc, char** argv) {
    CLI::App app("pgveil: a PostgreSQL proxy that keeps chosen columns encrypted", "pgveil");
    app.set_version_flag("--version", "pgveil " PGVEIL_VERSION);
    app.require_subcommand(1);
    int status = 0;
    std::string config;

    CLI::App* const serve = app.add_subcommand("serve", "run the proxy");
    serve->add_option("--config", config, "settings file (pgveil.json)")->required();
    serve->callback([&] { status = pgveil::proxy::serve(config); });

    pgveil::proxy::CheckRequest checked;
    CLI::App* const check =
        app.add_subcommand("check", "list where the databases differ from the policy");
    check->add_option("--config", config, "settings file (pgveil.json)")->required();
    CLI::Option* const database = check->add_option(
        "--database",
        checked.databases,
        "look into this database only (may be repeated); without it into those of the policy, or "
        "all of the server"
    );
    check
        ->add_flag(
            "--pin",
            checked.pin,
            "write down the shapes of the protected tables, as they are, beside the policy; a "
            "table "
            "that differs later is refused until pinned again"
        )
        ->excludes(database);
    check->callback([&] { status = pgveil::proxy::check(config, checked); });

    pgveil::proxy::OrderRequest request;
    CLI::App* const order = app.add_subcommand(
        "order", "make the share store, the proxy's identity and a one-time password for the tenant"
    );
    order->add_option("--config", config, "settings file (pgveil.json)")->required();
    order->add_option(
        "--tenant-fingerprint", request.tenant_fingerprint, "only this tenant may bootstrap"
    );
    order->add_flag("--again", request.again, "replace an order that was never finished");
    order->callback([&] { status = pgveil::proxy::order(config, request); });

    for (const char* const verb : kLater) {
        CLI::App* const later = app.add_subcommand(verb, "not available in this version");
        later->allow_extras();
        later->callback([&status, verb] {
            std::cerr << "pgveil: `" << verb << "` is not available in this version\n";
            status = pgveil::proxy::kExitConfiguration;
        });
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? 0 : pgveil::proxy::kExitConfiguration;
    }
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "pgveil: " << error.what() << '\n';
        return 1;
    }
}
