#include "keyshare/share/tenant.hpp"
#include "keyshare/tenant/bootstrap_run.hpp"
#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/delivery.hpp"
#include "keyshare/tenant/escrow.hpp"
#include "keyshare/tenant/home.hpp"
#include "keyshare/user/fresh_token.hpp"
#include "keyshare/user/proxy_connection.hpp"

namespace pgveil::tenant {

namespace {

/// The home to bootstrap into and whether it is of this run.
struct Begun {
    Home home;
    bool is_new;
};

Result<Begun> begin_new(
    const Context& context, const BootstrapArguments& arguments, const core::SecretBytes& passphrase
) {
    auto state = begin_bootstrap({arguments.tenant, arguments.groups, ""});
    if (!state) {
        return state.error();
    }
    auto home = Home::prepare(context.home, std::move(*state), passphrase, arguments.scrypt_log_n);
    if (!home) {
        return home.error();
    }
    return Begun{std::move(*home), true};
}

Result<Begun> go_on(
    const Context& context, const BootstrapArguments& arguments, const core::SecretBytes& passphrase
) {
    auto home = Home::open(context.home, passphrase);
    if (!home) {
        return home.error();
    }
    if (home->state().enrolment) {
        return user::unusable(
            "the home in " + context.home + " is bootstrapped already (proxy identity " +
            share::fingerprint_text(home->state().enrolment->proxy_identity.fingerprint()) +
            "): name another with --home"
        );
    }
    if (arguments.tenant_given && arguments.tenant != home->state().tenant) {
        return user::unusable(
            "the bootstrap begun in " + context.home + " is for tenant " + home->state().tenant +
            ", not " + arguments.tenant + ": name another home with --home"
        );
    }
    context.console.note("going on with the bootstrap begun in " + context.home);
    return Begun{std::move(*home), false};
}

Result<Begun> begin(const Context& context, const BootstrapArguments& arguments) {
    const bool is_present = Home::is_present(context.home);
    const auto passphrase = user::read_secret(
        context.passphrase,
        (is_present ? "passphrase of " : "new passphrase for ") + context.home,
        is_present ? user::Asking::kKnown : user::Asking::kNew
    );
    if (!passphrase) {
        return passphrase.error();
    }
    return is_present ? go_on(context, arguments, *passphrase)
                      : begin_new(context, arguments, *passphrase);
}

/// Drives the bootstrap; a new home whose first step was answered with a refusal or with something
/// that does not verify is taken back, because P cannot have handed over anything yet.
Result<void> drive(Begun& begun, user::ProxyConnection& proxy) {
    std::string last_step;
    const auto call = [&](std::string_view step, const std::string& argument) {
        last_step = step;
        return proxy.call("bootstrap", {last_step, argument});
    };
    auto done = run_bootstrap(begun.home, call, user::seconds_now());
    if (done) {
        return done;
    }
    if (last_step.empty()) {
        return done;
    }
    if (begun.is_new && last_step == "hello" && proxy.is_alive()) {
        begun.home.remove();
        return user::failed(done.error().message + ". Nothing was kept.");
    }
    return user::failed(
        done.error().message + ". The home in " + begun.home.directory() +
        " holds every step so far: mend the cause and run the same command again."
    );
}

std::string description_of(const HomeState& state) {
    std::string text =
        "tenant: " + state.tenant + "\nproxy: " + state.proxy + "\nproxy identity: " +
        share::fingerprint_text(state.enrolment->proxy_identity.fingerprint()) +
        "\ntenant keys: " + share::fingerprint_text(share::fingerprint_of(state.identity)) +
        "\nbootstrapped: " + time_text(state.bootstrapped_at_s) + "\n";
    for (const share::GroupKey& group : state.enrolment->groups) {
        text += "group: " + group.group + "\n";
    }
    return text;
}

}  // namespace

Result<void> show_home(const Context& context) {
    const auto home = open_enrolled(context);
    if (!home) {
        return home.error();
    }
    context.console.print(
        description_of(home->state()) + escrow_line(home->directory(), home->state())
    );
    return {};
}

Result<void> bootstrap(const Context& context, const BootstrapArguments& arguments) {
    if (!user::is_database_url(arguments.url)) {
        return user::unusable("--url wants postgresql://bootstrap@HOST:6543/pgveil?sslrootcert=FILE"
        );
    }
    auto begun = begin(context, arguments);
    if (!begun) {
        return begun.error();
    }
    const auto password =
        user::read_secret(arguments.one_time_password, "one-time password", user::Asking::kKnown);
    if (!password) {
        return password.error();
    }
    auto proxy = user::ProxyConnection::for_bootstrap(arguments.url, *password);
    if (!proxy) {
        return proxy.error();
    }
    begun->home.state().proxy = proxy->peer();
    if (auto done = drive(*begun, *proxy); !done) {
        return done;
    }
    context.console.print(description_of(begun->home.state()));
    return {};
}

}  // namespace pgveil::tenant
