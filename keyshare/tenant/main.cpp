#include "keyshare/core/arena.hpp"
#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/escrow_options.hpp"
#include "keyshare/tenant/home.hpp"
#include "keyshare/tenant/key_options.hpp"
#include "keyshare/tenant/tpm_options.hpp"
#include "keyshare/tenant/user_list.hpp"
#include "keyshare/user/process.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <string>

namespace {

using pgveil::tenant::Action;
using pgveil::tenant::add_secret;
using pgveil::tenant::Context;
using pgveil::tenant::Result;

std::string default_home() {
    const char* home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe): one thread
    return std::string(home == nullptr ? "." : home) + "/.pgveil-tenant";
}

void add_bootstrap(CLI::App& app, pgveil::tenant::BootstrapArguments& to, Action& action) {
    CLI::App* command = app.add_subcommand(
        "bootstrap", "Take over a fresh proxy: make the tenant's keys and share the making of TK"
    );
    command->add_option("--url", to.url, "postgresql://bootstrap@HOST:6543/pgveil?sslrootcert=FILE")
        ->required();
    add_secret(*command, "otp", to.one_time_password, "One-time password");
    auto* tenant = command->add_option("--tenant", to.tenant, "The tenant, as the proxy names it")
                       ->capture_default_str();
    command->add_option("--group", to.groups, "A key group with its own TK (repeat)")
        ->allow_extra_args(false)
        ->capture_default_str();
    command->add_option("--test-scrypt-log2-n", to.scrypt_log_n, "Cheaper scrypt, for tests only")
        ->group("");
    command->callback([&to, &action, tenant] {
        to.tenant_given = tenant->count() > 0;
        action = [&to](const Context& context) {
            return bootstrap(context, to);
        };
    });
}

using pgveil::tenant::HandoutArguments;
using HandOut = Result<void> (*)(const Context&, const HandoutArguments&);

/// The arguments of every subcommand that writes UID.user; returns --no-passphrase.
CLI::Option* add_user_files(CLI::App& command, HandoutArguments& to) {
    command.add_option("--out", to.out, "Directory for the files")->required()->type_name("DIR");
    add_secret(command, "user-passphrase", to.user_passphrase, "Passphrase of the user's file");
    CLI::Option* bare = command.add_flag("--no-passphrase");
    bare->description("Leave UID.user without passphrase: the file alone is the share");
    bare->excludes("--user-passphrase-file")->excludes("--user-passphrase-fd");
    return bare;
}

/// The same, and what is done with them.
void add_handout(CLI::App& command, HandoutArguments& to, Action& action, HandOut hand_out) {
    CLI::Option* bare = add_user_files(command, to);
    command.callback([&to, &action, bare, hand_out] {
        to.has_passphrase = bare->count() == 0;
        action = [&to, hand_out](const Context& context) {
            return hand_out(context, to);
        };
    });
}

void add_user_id(CLI::App& command, HandoutArguments& to) {
    command.add_option("uid", to.user_id, "User id: 1 to 64 of A-Z a-z 0-9 . _ @ -")->required();
}

void add_granted(CLI::App& command, HandoutArguments& to) {
    command.add_option("--group", to.groups, "A key group granted (repeat)")
        ->allow_extra_args(false)
        ->capture_default_str();
}

/// The arguments of an order that expires.
void add_expiry(CLI::App& command, std::string& url, unsigned& valid_days) {
    command.add_option("--apply", url, "Send the commands through the proxy at this URL");
    command.add_option("--valid-days", valid_days, "Days until the command expires")
        ->check(CLI::Range(1, 365))
        ->capture_default_str();
}

template <class Arguments>
void add_order(CLI::App& command, Arguments& to) {
    add_expiry(command, to.url, to.valid_days);
}

void add_shares(CLI::App& user, HandoutArguments& to, Action& action) {
    CLI::App* add =
        user.add_subcommand("add", "Give a user shares: UID.user, UID.app, NNNN-add_user.sql");
    add_user_id(*add, to);
    add_granted(*add, to);
    add_order(*add, to);
    add_handout(*add, to, action, pgveil::tenant::user_add);
    CLI::App* import = user.add_subcommand("import", "Add every user of a list, all or none");
    import->add_option("list", to.list, "File of user ids, one a line")->required();
    add_granted(*import, to);
    add_order(*import, to);
    add_handout(*import, to, action, pgveil::tenant::user_import);
    CLI::App* change = user.add_subcommand(
        "change-key", "Give a user new shares, and make the proxy forget the old ones"
    );
    add_user_id(*change, to);
    add_order(*change, to);
    add_handout(*change, to, action, pgveil::tenant::user_change_key);
    CLI::App* copy =
        user.add_subcommand("copy", "Write UID.user again: it was lost, and nobody has it");
    add_user_id(*copy, to);
    add_handout(*copy, to, action, pgveil::tenant::user_copy);
}

void add_grants(CLI::App& group, HandoutArguments& to, Action& action) {
    CLI::App* grant = group.add_subcommand(
        "grant", "Give a user new shares with one key group more: UID.user, UID.app, a call"
    );
    CLI::App* revoke = group.add_subcommand(
        "revoke", "Give a user new shares with one key group less, and forget the old ones"
    );
    const auto add = [&](CLI::App& command, HandOut hand_out) {
        add_user_id(command, to);
        add_order(command, to);
        add_handout(command, to, action, hand_out);
        command.add_option("group", to.group, "The key group")->required();
    };
    add(*grant, pgveil::tenant::group_grant);
    add(*revoke, pgveil::tenant::group_revoke);
}

void add_delivery(CLI::App& command, pgveil::tenant::Delivery& to) {
    command.add_option("--out", to.out, "Directory for NNNN-OPERATION.sql")->type_name("DIR");
    command.add_option("--apply", to.url, "Send the commands through the proxy at this URL");
}

void add_group_order(
    CLI::App& command, pgveil::tenant::GroupArguments& to, const std::string& operation
) {
    command.add_option("--out", to.delivery.out, "Directory for NNNN-" + operation + ".sql")
        ->type_name("DIR");
    add_expiry(command, to.delivery.url, to.valid_days);
}

struct Arguments {
    pgveil::tenant::BootstrapArguments bootstrap;
    pgveil::tenant::AdoptionArguments adoption;
    pgveil::tenant::TpmArguments tpm;
    pgveil::tenant::KeyArguments keys;
    HandoutArguments handout;
    pgveil::tenant::RenewalArguments renewal;
    pgveil::tenant::TkRenewalArguments tk_renewal;
    pgveil::tenant::Delivery delivery;
    pgveil::tenant::GroupArguments group;
    std::string report;
    std::string user_id;
    std::string receipts;
    pgveil::tenant::BackupArguments backup;
    pgveil::tenant::EscrowArguments escrow;
    std::string reconcile_url;
};

void add_user(CLI::App& app, Arguments& to, Action& action) {
    CLI::App* user = app.add_subcommand("user", "Users and their shares")->require_subcommand(1);
    add_shares(*user, to.handout, action);
    user->add_subcommand("list", "List users: id, status, share epoch, groups")
        ->callback([&action] { action = pgveil::tenant::user_list; });
    CLI::App* show = user->add_subcommand("show", "Show one user and its commands");
    show->add_option("uid", to.user_id)->required();
    show->callback([&to, &action] {
        action = [&to](const Context& context) {
            return user_show(context, to.user_id);
        };
    });
    CLI::App* withdraw = user->add_subcommand("withdraw", "Make the proxy forget a user's share");
    withdraw->add_option("uid", to.user_id)->required();
    add_delivery(*withdraw, to.delivery);
    withdraw->callback([&to, &action] {
        action = [&to](const Context& context) {
            return user_withdraw(context, to.user_id, to.delivery);
        };
    });
}

void add_groups(CLI::App& app, Arguments& to, Action& action) {
    CLI::App* group =
        app.add_subcommand("group", "Key groups, and who has them")->require_subcommand(1);
    CLI::App* create = group->add_subcommand("create", "Make a key group with a TK of its own");
    create->add_option("name", to.group.name, "Its name: a-z, then up to 62 of a-z 0-9 _")
        ->required();
    add_group_order(*create, to.group, "create_group");
    create->callback([&to, &action] {
        action = [&to](const Context& context) {
            return group_create(context, to.group);
        };
    });
    add_grants(*group, to.handout, action);
    group->add_subcommand("list", "List key groups: name, state, key id, number of users")
        ->callback([&action] { action = pgveil::tenant::group_list; });
}

void add_data_keys(CLI::App& app, Arguments& to, Action& action) {
    CLI::App* keys = app.add_subcommand("data-key", "The keys that values are encrypted under")
                         ->require_subcommand(1);
    CLI::App* fresh = keys->add_subcommand(
        "new", "Make the next one; then `pgveil rotate-data` encrypts the data anew under it"
    );
    fresh->add_option("--group", to.group.name, "The key group")->capture_default_str();
    add_group_order(*fresh, to.group, "new_data_key");
    fresh->callback([&to, &action] {
        action = [&to](const Context& context) {
            return data_key_new(context, to.group);
        };
    });
    CLI::App* retire = keys->add_subcommand(
        "retire", "Make the next one the only one, and the proxy forget the former"
    );
    retire->add_option("--group", to.group.name, "The key group")->capture_default_str();
    retire->add_option("--report", to.report, "What `pgveil rotate-data` wrote")->required();
    add_group_order(*retire, to.group, "retire_data_key");
    retire->callback([&to, &action] {
        action = [&to](const Context& context) {
            return data_key_retire(context, to.group, to.report);
        };
    });
}

void add_adoption(CLI::App& app, pgveil::tenant::AdoptionArguments& to, Action& action) {
    CLI::App* command = app.add_subcommand(
        "adopt", "Take over a fresh proxy in the place of one that was lost; TK and TKu stay"
    );
    command->add_option("--url", to.url, "postgresql://bootstrap@HOST:6543/pgveil?sslrootcert=FILE")
        ->required();
    add_secret(*command, "otp", to.one_time_password, "One-time password");
    add_order(*command, to.handout);
    CLI::Option* bare = add_user_files(*command, to.handout);
    command->callback([&to, &action, bare] {
        to.handout.has_passphrase = bare->count() == 0;
        action = [&to](const Context& context) {
            return adopt_proxy(context, to);
        };
    });
}

void add_renewal(CLI::App& app, pgveil::tenant::RenewalArguments& to, Action& action) {
    CLI::App* renew = app.add_subcommand(
        "renew-shares", "Give the application and the proxy new shares of every active user"
    );
    renew->add_option("--out", to.out, "Directory for UID.app and NNNN-renew_shares.sql")
        ->required()
        ->type_name("DIR");
    add_order(*renew, to);
    renew->callback([&to, &action] {
        action = [&to](const Context& context) {
            return renew_shares_of_all(context, to);
        };
    });
}

void add_tk_renewal(CLI::App& app, pgveil::tenant::TkRenewalArguments& to, Action& action) {
    CLI::App* renew = app.add_subcommand(
        "renew-tk", "Give a key group another TK, and everybody who has it new shares, at once"
    );
    renew->add_option("--group", to.group, "The key group")->capture_default_str();
    renew->add_option("--out", to.renewal.out, "Directory for UID.app and NNNN-renew_tk.sql")
        ->required()
        ->type_name("DIR");
    add_order(*renew, to.renewal);
    renew->callback([&to, &action] {
        action = [&to](const Context& context) {
            return renew_tk_of_group(context, to);
        };
    });
}

void add_chain(CLI::App& app, Arguments& to, Action& action) {
    app.add_subcommand("show", "Show the tenant, the pinned proxy and the key groups")
        ->callback([&action] { action = pgveil::tenant::show_home; });
    CLI::App* pending =
        app.add_subcommand("pending", "List commands without a receipt, and send them");
    add_delivery(*pending, to.delivery);
    pending->callback([&to, &action] {
        action = [&to](const Context& context) {
            return pending_commands(context, to.delivery);
        };
    });
    CLI::App* receipt =
        app.add_subcommand("receipt", "File the receipts that an SQL call returned");
    receipt->add_option("file", to.receipts, "File with the text of the answer")->required();
    receipt->callback([&to, &action] {
        action = [&to](const Context& context) {
            return file_receipt_file(context, to.receipts);
        };
    });
}

void add_backup(
    CLI::App& app, const std::string& name, pgveil::tenant::BackupArguments& to, Action& action
) {
    const bool is_backup = name == "backup";
    CLI::App* command = app.add_subcommand(
        name,
        is_backup ? "Write the whole home into a new file, closed under a passphrase"
                  : "Make a home of a backup, where there is none"
    );
    command->add_option("file", to.file, "The backup")->required();
    add_secret(*command, "backup-passphrase", to.passphrase, "Passphrase of the backup");
    command->add_option("--test-scrypt-log2-n", to.scrypt_log_n, "Cheaper scrypt, for tests only")
        ->group("");
    command->callback([&to, &action, command, is_backup] {
        to.has_passphrase = command->count("--backup-passphrase-file") > 0 ||
                            command->count("--backup-passphrase-fd") > 0;
        action = [&to, is_backup](const Context& context) {
            return is_backup ? backup_home(context, to) : restore_home(context, to);
        };
    });
}

void add_backups(CLI::App& app, Arguments& to, Action& action) {
    add_backup(app, "backup", to.backup, action);
    add_backup(app, "restore", to.backup, action);
    CLI::App* reconcile = app.add_subcommand(
        "reconcile", "Compare a restored home with the proxy, before it makes commands again"
    );
    reconcile->add_option("--apply", to.reconcile_url, "Ask the proxy at this URL")->required();
    reconcile->callback([&to, &action] {
        action = [&to](const Context& context) {
            return reconcile_home(context, to.reconcile_url);
        };
    });
}

/// The home in clear twice more.
std::size_t room_for_backup(const Context& context, const std::string& file) {
    using pgveil::tenant::Home;
    return file.empty() ? 0 : 4 * (Home::room_for(context.home) + Home::room_for_file(file));
}

int run(int argc, char** argv) {
    Context context{pgveil::user::Console("pgveil-tenant"), default_home(), {}};
    CLI::App app("pgveil-tenant: the tenant's keys, users and commands");
    app.footer(pgveil::user::kMemoryHelp);
    app.set_version_flag("--version", "pgveil-tenant " PGVEIL_VERSION);
    app.require_subcommand(1)->fallthrough();
    app.add_option("--home", context.home, "The tenant's home")
        ->type_name("DIR")
        ->capture_default_str();
    add_secret(app, "passphrase", context.passphrase, "Passphrase of the home");
    Arguments arguments;
    Action action;
    add_bootstrap(app, arguments.bootstrap, action);
    add_tpm_commands(app, arguments.tpm, action);
    add_key_commands(app, arguments.keys, action);
    add_user(app, arguments, action);
    add_groups(app, arguments, action);
    add_data_keys(app, arguments, action);
    add_adoption(app, arguments.adoption, action);
    add_renewal(app, arguments.renewal, action);
    add_tk_renewal(app, arguments.tk_renewal, action);
    add_chain(app, arguments, action);
    add_backups(app, arguments, action);
    add_escrow_commands(app, arguments.escrow, action);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : static_cast<int>(pgveil::user::Exit::kUsage);
    }
    const std::size_t room = pgveil::core::ArenaOptions().size +
                             pgveil::tenant::Home::room_for(context.home) +
                             room_for_backup(context, arguments.backup.file) +
                             room_for_backup(context, arguments.escrow.file) +
                             pgveil::tenant::room_for_users(arguments.handout.list);
    if (auto guarded = pgveil::user::guard_process(room); !guarded) {
        return context.console.fail(guarded.error());
    }
    const auto done = action(context);
    return done ? 0 : context.console.fail(done.error());
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "pgveil-tenant: " << error.what() << "\n";
        return 1;
    }
}
