#include "keyshare/core/random.hpp"
#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/delivery.hpp"
#include "keyshare/tenant/home.hpp"
#include "keyshare/tenant/orders.hpp"
#include "keyshare/user/fresh_token.hpp"
#include "keyshare/user/private_file.hpp"
#include "keyshare/user/proxy_connection.hpp"

#include <unistd.h>

namespace pgveil::tenant {

namespace {

/// Of the backup, where it has one of its own.
Result<core::SecretBytes> passphrase_of_backup(
    const BackupArguments& arguments, const core::SecretBytes& of_home, user::Asking asking
) {
    if (!arguments.has_passphrase) {
        return core::SecretBytes::copy_of(of_home.reveal());
    }
    return user::read_secret(arguments.passphrase, "passphrase of " + arguments.file, asking);
}

Result<core::SecretBytes> open_backup(
    const std::string& file, const core::SecretBytes& passphrase
) {
    const auto bytes = user::read_private_file(file, Home::kSizeMax);
    if (!bytes) {
        return bytes.error();
    }
    const auto key = HomeKey::of_file(passphrase, bytes->reveal());
    return key ? key->open(bytes->reveal()) : key.error();
}

/// Whether the file, read from the disk again, opens to this state.
Result<void> check_backup(
    const std::string& file, const core::SecretBytes& passphrase, const core::SecretBytes& state
) {
    const auto read = open_backup(file, passphrase);
    if (read && core::equal_in_constant_time(read->reveal(), state.reveal())) {
        return {};
    }
    ::unlink(file.c_str());
    return user::failed(
        file + " did not read as it was written, and was removed: " +
        (read ? "is the disk in order?" : read.error().message)
    );
}

}  // namespace

Result<void> backup_home(const Context& context, const BackupArguments& arguments) {
    if (user::exists(arguments.file)) {
        return user::unusable(arguments.file + " exists already: choose another name");
    }
    const auto of_home = user::read_secret(
        context.passphrase, "passphrase of " + context.home, user::Asking::kKnown
    );
    if (!of_home) {
        return of_home.error();
    }
    const auto home = Home::open(context.home, *of_home);
    if (!home) {
        return home.error();
    }
    const auto passphrase = passphrase_of_backup(arguments, *of_home, user::Asking::kNew);
    if (!passphrase) {
        return passphrase.error();
    }
    const auto key = HomeKey::fresh(*passphrase, arguments.scrypt_log_n, core::system_random());
    if (!key) {
        return key.error();
    }
    const core::SecretBytes state = serialize(home->state());
    const core::Bytes sealed = key->seal(state.reveal(), core::system_random());
    if (auto made = user::create_file(arguments.file, sealed, user::Audience::kOwner); !made) {
        return made;
    }
    if (auto checked = check_backup(arguments.file, *passphrase, state); !checked) {
        return checked;
    }
    context.console.note(
        "wrote " + arguments.file + ", and it opens: what is ordered from now on is not in it"
    );
    return {};
}

Result<void> restore_home(const Context& context, const BackupArguments& arguments) {
    if (Home::is_present(context.home)) {
        return user::unusable(
            "there is a tenant's home in " + context.home +
            ": move it away, or name another place with --home"
        );
    }
    const auto of_home = user::read_secret(
        context.passphrase,
        arguments.has_passphrase ? "new passphrase for " + context.home
                                 : "passphrase of " + arguments.file,
        arguments.has_passphrase ? user::Asking::kNew : user::Asking::kKnown
    );
    if (!of_home) {
        return of_home.error();
    }
    const auto passphrase = passphrase_of_backup(arguments, *of_home, user::Asking::kKnown);
    const auto plain = passphrase ? open_backup(arguments.file, *passphrase) : passphrase.error();
    if (!plain) {
        return plain.error();
    }
    auto state = parse_home_state(plain->reveal());
    if (!state) {
        return state.error();
    }
    state->restored_at_s = user::seconds_now();
    auto home = Home::prepare(context.home, std::move(*state), *of_home, arguments.scrypt_log_n);
    if (!home) {
        return home.error();
    }
    if (auto saved = home->save(); !saved) {
        return saved;
    }
    context.console.note(
        "restored the home in " + context.home +
        ". Destroy .sql files that were written after the backup and not sent, then run "
        "`pgveil-tenant reconcile --apply URL`: the home makes no commands before that"
    );
    return {};
}

Result<void> reconcile_home(const Context& context, const std::string& url) {
    auto home = open_enrolled(context);
    if (!home) {
        return home.error();
    }
    if (home->state().restored_at_s == 0) {
        context.console.note("this home was not restored, or is reconciled already");
        return {};
    }
    auto proxy = user::ProxyConnection::as_login(url);
    if (!proxy) {
        return proxy.error();
    }
    const auto newest = proxy->call("apply", {std::string()});
    if (!newest) {
        return newest.error();
    }
    if (auto reconciled = reconcile(home->state(), *newest); !reconciled) {
        return reconciled;
    }
    if (auto saved = home->save(); !saved) {
        return saved;
    }
    context.console.note(
        "the home has every command that the proxy has taken; `pgveil-tenant pending` lists those "
        "without receipt"
    );
    return {};
}

}  // namespace pgveil::tenant
