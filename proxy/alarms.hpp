#pragma once

#include "config/settings.hpp"
#include "keyshare/store/proxy_custody.hpp"
#include "proxy/admin/console_conversation.hpp"
#include "proxy/alarm/watch.hpp"

#include <memory>
#include <string>

namespace pgveil::proxy {

/// The alarms of the running proxy: raised into the log, and to the webhook of the settings, if
/// there is one. Locks stand in the share store.
std::unique_ptr<alarm::Watch> start_alarms(
    const config::Settings& settings, std::shared_ptr<store::ProxyCustody> custody
);

/// UNLOCK USER of the console: ends the lock at all proxies of the store. Main thread; waits for
/// the store.
admin::Answer unlock_user(const std::string& user, store::ProxyCustody& custody);

}  // namespace pgveil::proxy
