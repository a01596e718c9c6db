#include "proxy/audit_command.hpp"
#include "proxy/backup.hpp"
#include "proxy/check.hpp"
#include "proxy/explain.hpp"
#include "proxy/locking.hpp"
#include "proxy/migrate_command.hpp"
#include "proxy/move_store.hpp"
#include "proxy/order.hpp"
#include "proxy/rotate_command.hpp"
#include "proxy/seal_choice.hpp"
#include "proxy/serve.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

namespace {

/// The verbs share the option --config and the exit code.
struct CommandLine {
    CLI::App app{"pgveil: a PostgreSQL proxy that keeps chosen columns encrypted", "pgveil"};
    int status = 0;
    std::string config;
    std::string log;
    std::string challenge;
    std::string moved_from;
    pgveil::proxy::AuditRequest audited;
    pgveil::proxy::BackupRequest saved;
    pgveil::proxy::RestoreRequest restored;
    pgveil::proxy::CheckRequest checked;
    pgveil::proxy::ExplainRequest explained;
    pgveil::migration::Request migrated;
    pgveil::proxy::OrderRequest ordered;
    pgveil::rotation::Request rotated;
    pgveil::proxy::LockRequest locked;

    CLI::App* verb(const std::string& name, const std::string& what) {
        CLI::App* const added = app.add_subcommand(name, what);
        added->add_option("--config", config, "settings file (pgveil.json)")->required();
        return added;
    }
};

void add_serve(CommandLine& line) {
    line.verb("serve", "run the proxy")->callback([&line] {
        line.status = pgveil::proxy::serve(line.config);
    });
}

void add_check(CommandLine& line) {
    CLI::App* const check = line.verb("check", "list where the databases differ from the policy");
    CLI::Option* const database = check->add_option(
        "--database",
        line.checked.databases,
        "look into this database only (may be repeated); without it into those of the policy, or "
        "all of the server"
    );
    CLI::Option* const pin = check->add_flag(
        "--pin",
        line.checked.pin,
        "write down the shapes of the protected tables, as they are, beside the policy; a table "
        "that differs later is refused until pinned again"
    );
    pin->excludes(database);
    check
        ->add_option(
            "--log",
            line.log,
            "instead: list which statements of this PostgreSQL log (stderr, csvlog or jsonlog) "
            "would be refused once the tables of the policy are encrypted"
        )
        ->excludes(pin);
    check->callback([&line] {
        const auto& named = line.checked.databases;
        line.status =
            line.log.empty()
                ? pgveil::proxy::check(line.config, line.checked)
                : pgveil::proxy::check_log(
                      line.config, {line.log, named.empty() ? std::string() : named.front()}
                  );
    });
}

void add_explain(CommandLine& line) {
    CLI::App* const explain = line.verb(
        "explain", "say what would be sent for a statement, or why it is refused; sends nothing"
    );
    explain->add_option("--database", line.explained.database, "in which its tables are");
    explain->add_option("SQL", line.explained.sql, "the statement")->required();
    explain->callback([&line] { line.status = pgveil::proxy::explain(line.config, line.explained); }
    );
}

void add_order(CommandLine& line) {
    CLI::App* const order = line.verb(
        "order", "make the share store, the proxy's identity and a one-time password for the tenant"
    );
    order->add_option(
        "--tenant-fingerprint", line.ordered.tenant_fingerprint, "only this tenant may bootstrap"
    );
    order->add_flag("--again", line.ordered.again, "replace an order that was never finished");
    order->callback([&line] { line.status = pgveil::proxy::order(line.config, line.ordered); });
}

void add_measure(CommandLine& line) {
    line.verb("measure", "with a TPM: print what runs here, for the tenant to approve")
        ->callback([&line] { line.status = pgveil::proxy::measure(line.config); });
    CLI::App* const attest =
        line.verb("attest", "with a TPM: print its keys, or its answer to the tenant's challenge");
    attest->add_option("--challenge", line.challenge, "what `pgveil-tenant attest ask` printed")
        ->type_name("FILE");
    attest->callback([&line] {
        line.status = pgveil::proxy::attest_to(line.config, line.challenge);
    });
}

void add_backup(CommandLine& line) {
    CLI::App* const backup = line.verb(
        "backup",
        "copy the share store and its key, into two files for two places; stop the proxy first"
    );
    backup->add_option("--store", line.saved.store, "new file for the store")->required();
    backup->add_option("--key", line.saved.key, "new file for its key")->required();
    backup->callback([&line] { line.status = pgveil::proxy::back_up(line.config, line.saved); });
}

void add_restore(CommandLine& line) {
    CLI::App* const restore =
        line.verb("restore", "put a backup in the place of the share store; stop the proxy first");
    auto& from = line.restored.from;
    CLI::Option* const store = restore->add_option("--store", from.store, "the backup's store");
    CLI::Option* const key = restore->add_option("--key", from.key, "the backup's key");
    store->needs(key);
    key->needs(store);
    CLI::Option* const older = restore->add_flag(
        "--accept-older",
        line.restored.accept_older,
        "also if the home database remembers a newer store; without --store: accept the store as "
        "it stands"
    );
    restore->callback([&line, store, older] {
        if (store->count() + older->count() == 0) {
            throw CLI::RequiredError("--store FILE --key FILE, or --accept-older");
        }
        line.status = pgveil::proxy::restore(line.config, line.restored);
    });
}

void add_move(CommandLine& line) {
    CLI::App* const move = line.verb(
        "move-store",
        "move the share store from SQLite into PostgreSQL, or back, to where these settings say; "
        "stop the proxy first"
    );
    move->add_option("--from", line.moved_from, "the settings file with the store that there is")
        ->required();
    move->callback([&line] {
        line.status = pgveil::proxy::move_store(line.config, line.moved_from);
    });
}

/// `pgveil lock` and `pgveil unlock`.
void add_lock(CommandLine& line) {
    using pgveil::proxy::LockVerb;
    const auto add = [&line](const char* name, const char* what, LockVerb which) {
        CLI::App* const verb = line.verb(name, what);
        verb->add_option(
            "--user",
            line.locked.user,
            "an admin user of the console; without it the first of \"admin_users\""
        );
        verb->add_option("--host", line.locked.host, "without it where the settings listen");
        verb->callback([&line, which] {
            line.status = pgveil::proxy::tell_lock(line.config, line.locked, which);
        });
    };
    add("lock", "have the running proxy wipe its store key and all that it opened", LockVerb::kLock
    );
    add("unlock", "have the running proxy ask its seal for the store key again", LockVerb::kUnlock);
}

/// `pgveil audit verify | show | export`.
void add_audit(CommandLine& line) {
    using pgveil::proxy::AuditVerb;
    CLI::App* const audit = line.app.add_subcommand("audit", "verify or read the audit log");
    audit->require_subcommand(1);
    const auto add = [&line, audit](const char* name, const char* what, AuditVerb verb) {
        CLI::App* const added = audit->add_subcommand(name, what);
        added->add_option("--config", line.config, "settings file (pgveil.json)")->required();
        added->add_option(
            "FILE", line.audited.files, "without it all files of the settings' folder"
        );
        added->callback([&line, verb] {
            line.status = pgveil::proxy::audit_log(line.config, verb, line.audited);
        });
        return added;
    };
    CLI::App* const verify =
        add("verify", "find the first thing that was changed, and where", AuditVerb::kVerify);
    verify->add_option(
        "--identity",
        line.audited.identity,
        "fingerprint of the proxy's identity key; without it the share store is asked, which a "
        "running proxy holds"
    );
    verify->add_option(
        "--head", line.audited.head, "a signed head, or a file with one: must be in the log"
    );
    for (CLI::App* const lister :
         {add("show",
              "the lines for people; says nothing about whether they are genuine",
              AuditVerb::kShow),
          add("export",
              "the lines as JSON; says nothing about whether they are genuine",
              AuditVerb::kExport)}) {
        lister->add_option("--since", line.audited.since, "from this time on (UTC)");
        lister->add_option("--until", line.audited.until, "before this time (UTC)");
        lister->add_option("--user", line.audited.user, "with the share of this user");
    }
}

/// Who does the work.
void add_worker_options(
    CLI::App& command, pgveil::migration::UserFiles& to, std::string& proxy, std::string& direct
) {
    command
        .add_option(
            "--direct",
            direct,
            "the database itself, as the owner of the tables: postgresql://OWNER@HOST:5432/DATABASE"
        )
        ->required();
    command.add_option(
        "--proxy", proxy, "pgveil, in front of it: postgresql://OWNER@HOST:6543/DATABASE"
    );
    command.add_option("--key", to.key, "key file of a user with the key groups, UID.user");
    command.add_option(
        "--app-share", to.app_share, "the application's share of that user, UID.app"
    );
    CLI::Option* const file = command.add_option(
        "--passphrase-file", to.passphrase.file, "passphrase of the key file from this file (0600)"
    );
    command
        .add_option(
            "--passphrase-fd", to.passphrase.descriptor, "the same from this descriptor, one line"
        )
        ->excludes(file);
}

/// How fast it is done.
void add_pace_options(CLI::App& command, pgveil::migration::Pace& to) {
    command
        .add_option(
            "--rows-per-second",
            to.rows_per_second,
            "no faster than this; 0, the default, is as fast as it goes"
        )
        ->check(CLI::NonNegativeNumber);
    command.add_option("--batch", to.batch_rows, "rows in one transaction")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
}

void add_migration_options(CLI::App& command, pgveil::migration::Request& to) {
    command.add_option("TABLE", to.table, "schema.table, as in the policy")->required();
    CLI::Option* const plan = command.add_flag(
        "--plan", to.plan, "only say what would be done, for how long, and what is in the way"
    );
    CLI::Option* const drop = command.add_flag(
        "--drop", to.drop, "also drop the table that the switch has replaced; not to be undone"
    );
    command.add_flag("--back", to.back, "undo everything that was not dropped")
        ->excludes(drop)
        ->excludes(plan);
    add_worker_options(command, to.user, to.proxy, to.direct);
    add_pace_options(command, to.pace);
    command.parse_complete_callback([&to] {
        if (!to.plan && (to.proxy.empty() || to.user.key.empty() || to.user.app_share.empty())) {
            throw CLI::RequiredError("--proxy, --key and --app-share, or --plan");
        }
    });
}

void add_rotation(CommandLine& line) {
    pgveil::rotation::Request& to = line.rotated;
    CLI::App* const verb = line.verb(
        "rotate-data",
        "encrypt the values of a key group anew, under its next data key, while they are in use"
    );
    verb->add_option("TABLE", to.tables, "schema.table; without one, all tables");
    verb->add_option("--group", to.group, "the key group")->capture_default_str();
    CLI::Option* const check =
        verb->add_flag("--check", to.check, "only say what is left under the former key");
    CLI::Option* const plan = verb->add_flag(
        "--plan", to.plan, "only say which tables would be exchanged, and what is in the way"
    );
    plan->excludes(check);
    verb->add_option("--report", to.report, "when nothing is left, write this file for the tenant")
        ->excludes(check)
        ->excludes(plan);
    add_worker_options(*verb, to.user, to.proxy, to.direct);
    add_pace_options(*verb, to.pace);
    verb->parse_complete_callback([&to] {
        const bool is_lacking = to.proxy.empty() || to.user.app_share.empty();
        if (to.user.key.empty() || (is_lacking && !to.check && !to.plan)) {
            throw CLI::RequiredError("--key, and --proxy and --app-share, --check or --plan");
        }
    });
    verb->callback([&line] { line.status = pgveil::proxy::rotate_data(line.config, line.rotated); }
    );
}

void add_migrations(CommandLine& line) {
    using pgveil::migration::Goal;
    const auto add = [&line](const char* name, const char* what, Goal goal) {
        CLI::App* const verb = line.verb(name, what);
        add_migration_options(*verb, line.migrated);
        verb->callback([&line, goal] {
            line.status = pgveil::proxy::migrate(line.config, line.migrated, goal);
        });
    };
    add("migrate", "encrypt the protected columns of a table that is in use", Goal::kVeiled);
    add("unmigrate", "decrypt the columns of a table again, into plain ones", Goal::kPlain);
}

int run(int argc, char** argv) {
    CommandLine line;
    line.app.set_version_flag("--version", "pgveil " PGVEIL_VERSION);
    line.app.require_subcommand(1);
    add_serve(line);
    add_check(line);
    add_explain(line);
    add_order(line);
    add_measure(line);
    add_backup(line);
    add_restore(line);
    add_move(line);
    add_lock(line);
    add_audit(line);
    add_migrations(line);
    add_rotation(line);
    try {
        line.app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = line.app.exit(error);
        return code == 0 ? 0 : pgveil::proxy::kExitConfiguration;
    }
    return line.status;
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
