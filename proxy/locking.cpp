#include "proxy/locking.hpp"

#include "proxy/log/log.hpp"
#include "proxy/migration/connection.hpp"
#include "proxy/seal_choice.hpp"
#include "proxy/start.hpp"

#include <iostream>
#include <new>
#include <utility>

namespace pgveil::proxy {

namespace {

admin::Answer lock(session::Service& service) {
    admin::Answer answer;
    if (service.custody->lock()) {
        log::warn(
            "locked: the store key and all that was opened with it are wiped; protected statements "
            "are refused until `pgveil unlock`"
        );
    } else {
        answer.notices.emplace_back("it was locked already");
    }
    return answer;
}

/// What to think of an unlock that asks nobody; else empty.
std::string caution_about_seal(const config::Settings& settings) {
    return opens_alone(settings) ? "a file seal opens without anybody's help: whoever may read " +
                                       settings.seal_path + " can unlock"
                                 : std::string();
}

/// False: it was not locked.
store::Result<bool> open_again(session::Service& service, const config::Settings& settings) {
    auto seal = make_seal(settings);
    if (!seal.has_value()) {
        return store::Error{store::ErrorCode::kUnavailable, seal.error().message};
    }
    return service.custody->unlock(*std::move(seal));
}

admin::Answer still_locked(const std::string& reason) {
    log::error("still locked: {reason}", {{"reason", reason}});
    return admin::failed(admin::CommandError("55000", "still locked: " + reason));
}

admin::Answer unlock(
    session::Service& service, const config::Settings& settings, CustodyWatch& watch
) {
    const auto opened = open_again(service, settings);
    if (!opened.has_value()) {
        return still_locked(opened.error().message);
    }
    admin::Answer answer;
    if (!*opened) {
        answer.notices.emplace_back("it was not locked");
        return answer;
    }
    auto taken = watch.check_version(settings);
    if (taken.has_value()) {
        taken = watch.publish(settings);
    }
    if (!taken.has_value()) {
        service.custody->lock();
        return still_locked(taken.error().message);
    }
    log::info("unlocked: the store key is {seal}", {{"seal", describe_seal(settings)}});
    if (std::string caution = caution_about_seal(settings); !caution.empty()) {
        answer.notices.push_back(std::move(caution));
    }
    return answer;
}

/// A value of a connection string of libpq.
std::string quoted_setting(const std::string& value) {
    std::string text = "'";
    for (const char letter : value) {
        if (letter == '\'' || letter == '\\') {
            text += '\\';
        }
        text += letter;
    }
    return text + "'";
}

/// Where a client of this machine reaches it.
std::string host_of(const config::ListenSettings& listen) {
    if (!listen.unix_directory.empty()) {
        return listen.unix_directory;
    }
    return listen.host == "0.0.0.0" || listen.host == "::" ? "localhost" : listen.host;
}

std::string console_of(
    const config::Settings& settings, const LockRequest& request, const std::string& host
) {
    const std::string& user =
        request.user.empty() ? settings.console.admin_users.front() : request.user;
    return "host=" + quoted_setting(host) + " port=" + std::to_string(settings.listen.port) +
           " dbname=pgveil connect_timeout=10 user=" + quoted_setting(user);
}

int failed(const std::string& message) {
    refuse_to_start(message);
    return kExitFailed;
}

}  // namespace

admin::Answer change_lock(
    admin::Action action,
    session::Service& service,
    const config::Settings& settings,
    CustodyWatch& watch
) {
    try {
        return action == admin::Action::kLock ? lock(service) : unlock(service, settings, watch);
    } catch (const std::bad_alloc&) {
        service.custody->lock();
        return still_locked("out of memory for secrets");
    }
}

int tell_lock(const std::string& settings_file, const LockRequest& request, LockVerb verb) {
    const auto settings = start(settings_file);
    if (!settings) {
        return kExitConfiguration;
    }
    if (request.user.empty() && settings->console.admin_users.empty()) {
        return refuse_to_start(
            settings_file +
            ": /admin_users: nobody may use the console of the proxy; name somebody "
            "there and reload"
        );
    }
    const bool locks = verb == LockVerb::kLock;
    const std::string host = request.host.empty() ? host_of(settings->listen) : request.host;
    const std::string name = "the proxy at " + host + ":" + std::to_string(settings->listen.port);
    auto console = migration::Connection::open(console_of(*settings, request, host), name);
    if (!console.has_value()) {
        return failed(
            console.error().message + "; nothing was " + (locks ? "locked" : "unlocked") +
            ". The password comes from PGPASSWORD or PGPASSFILE"
        );
    }
    const auto done = console->run(locks ? "LOCK" : "UNLOCK");
    if (!done.has_value()) {
        return failed(done.error().message);
    }
    const std::string caution = caution_about_seal(*settings);
    std::cout << name << (locks ? " is locked" : " is unlocked")
              << (caution.empty() ? "" : "; " + caution) << '\n';
    return 0;
}

}  // namespace pgveil::proxy
