#include "proxy/reload.hpp"

#include "proxy/admin/console_config.hpp"
#include "proxy/log/log.hpp"

#include <utility>

namespace pgveil::proxy {

boost::system::result<Reloaded, session::LoadError> reloaded(const session::Snapshot& running) {
    auto settings = config::load_settings(running.settings.file);
    if (!settings.has_value()) {
        return session::LoadError{settings.error().message};
    }
    Reloaded fresh;
    for (const std::string& key : admin::changes_for_restart(running.settings, *settings)) {
        fresh.notices.push_back(key + " has changed: it takes effect at the next start");
        log::warn("{notice}", {{"notice", fresh.notices.back()}});
    }
    admin::keep_until_restart(running.settings, *settings);
    auto snapshot = session::load_snapshot(std::move(*settings), &running);
    if (!snapshot.has_value()) {
        return snapshot.error();
    }
    fresh.snapshot = std::move(*snapshot);
    return fresh;
}

/// Names that may use the console and have no secret to log in with.
void warn_of_strangers(const session::Snapshot& snapshot) {
    const config::ConsoleSettings& console = snapshot.settings.console;
    for (const auto* const names : {&console.admin_users, &console.stats_users}) {
        for (const std::string& name : *names) {
            if (snapshot.users->find(name) == nullptr) {
                log::warn(
                    "\"{user}\" may use the admin console and is not in {file}: add it there",
                    {{"user", name}, {"file", snapshot.users->path()}}
                );
            }
        }
    }
}

}  // namespace pgveil::proxy
