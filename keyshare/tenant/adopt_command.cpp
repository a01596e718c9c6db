#include "keyshare/share/tenant.hpp"
#include "keyshare/tenant/adoption.hpp"
#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/delivery.hpp"
#include "keyshare/tenant/handouts.hpp"
#include "keyshare/tenant/orders.hpp"
#include "keyshare/user/fresh_token.hpp"
#include "keyshare/user/proxy_connection.hpp"

#include <utility>

namespace pgveil::tenant {

namespace {

constexpr std::int64_t kSecondsOfDay = 86400;

/// Refuses a directory with files of an earlier order, before anything is made.
Result<void> require_free_for_all(const HomeState& state, const std::string& out) {
    std::vector<std::string> files;
    for (const UserRecord& user : state.users) {
        const HandoutNames names = handout_names(out, user.user_id);
        files.insert(files.end(), {names.user, names.app});
    }
    return require_free(files);
}

/// An adoption whose hello was answered with a refusal is taken back: the proxy has taken nothing.
Result<void> drive_adoption(
    Home& home, user::ProxyConnection& proxy, const AdoptionArguments& arguments
) {
    const bool is_new = !is_adopting(home.state());
    const std::string lost = std::exchange(home.state().proxy, proxy.peer());
    std::string last_step;
    const auto call = [&](std::string_view step, const std::string& argument) {
        last_step = step;
        return proxy.call("bootstrap", {last_step, argument});
    };
    const std::int64_t now_s = user::seconds_now();
    const share::CommandTimes times{now_s, now_s + arguments.handout.valid_days * kSecondsOfDay};
    auto done = run_adoption(home, call, times);
    if (done || last_step.empty()) {
        return done;
    }
    if (is_new && last_step == "hello" && proxy.is_alive()) {
        home.state().bootstrap.wipe();
        home.state().proxy = lost;
        auto taken_back = home.save();
        return taken_back ? user::failed(done.error().message + ". Nothing was kept.") : taken_back;
    }
    return user::failed(
        done.error().message + ". The home in " + home.directory() +
        " holds every step so far: mend the cause and run the same command again."
    );
}

/// Takes the proxy over, unless an earlier run has and was cut short at its files.
Result<void> take_over_proxy(
    const Context& context, Home& home, const AdoptionArguments& arguments
) {
    if (is_settled(home.state())) {
        context.console.note("the proxy was taken over before: handing out the same shares");
        return {};
    }
    if (is_adopting(home.state())) {
        context.console.note("going on with the takeover begun in " + home.directory());
    }
    if (auto free = require_free_for_all(home.state(), arguments.handout.out); !free) {
        return free;
    }
    const auto password =
        user::read_secret(arguments.one_time_password, "one-time password", user::Asking::kKnown);
    if (!password) {
        return password.error();
    }
    auto proxy = user::ProxyConnection::for_bootstrap(arguments.url, *password);
    const auto done = proxy ? drive_adoption(home, *proxy, arguments) : proxy.error();
    if (!done && !renewed_users(home.state()).empty()) {
        context.console.note(
            "a renewal of shares waits for its receipts: if this proxy was taken over before, send "
            "it with `pgveil-tenant pending --apply URL`"
        );
    }
    return done;
}

/// New files of everybody.
Result<void> hand_out_all(
    const Context& context,
    const Home& home,
    const HandoutArguments& to,
    const core::SecretBytes& passphrase
) {
    const auto users = renewed_users(home.state());
    const user::UserFileLock lock{.passphrase = passphrase.empty() ? nullptr : &passphrase};
    if (auto written = write_handouts(users, to.out, lock); !written) {
        return written;
    }
    context.console.note(
        "took over the proxy with identity " +
        share::fingerprint_text(home.state().enrolment->proxy_identity.fingerprint()) + "; wrote " +
        std::to_string(users.size()) +
        " files UID.user (each for its user only; the old ones are of the lost proxy) and UID.app "
        "(for the application only) to " +
        to.out
    );
    return {};
}

}  // namespace

Result<void> adopt_proxy(const Context& context, const AdoptionArguments& arguments) {
    const HandoutArguments& to = arguments.handout;
    if (!user::is_database_url(arguments.url)) {
        return user::unusable("--url wants postgresql://bootstrap@HOST:6543/pgveil?sslrootcert=FILE"
        );
    }
    auto home = open_enrolled(context);
    if (!home) {
        return home.error();
    }
    if (auto made = make_out_directory(to.out); !made) {
        return made;
    }
    const auto passphrase = passphrase_of_all(to);
    if (!passphrase) {
        return passphrase.error();
    }
    if (auto taken = take_over_proxy(context, *home, arguments); !taken) {
        return taken;
    }
    if (auto written = hand_out_all(context, *home, to, *passphrase); !written) {
        return written;
    }
    // On disk with the first receipts, or below: until then the takeover is repeated from here.
    home->state().bootstrap.wipe();
    const auto delivered = deliver(*home, context.console, {to.out, to.url});
    return delivered ? home->save() : delivered;
}

}  // namespace pgveil::tenant
