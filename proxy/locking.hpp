#pragma once

#include "config/settings.hpp"
#include "proxy/admin/console_conversation.hpp"
#include "proxy/custody_watch.hpp"
#include "proxy/session/service.hpp"

#include <string>

namespace pgveil::proxy {

/// LOCK or UNLOCK of the console: wipes the store key and what was opened with it, or asks the seal
/// for it again and takes the store as at a start. Says in the log what happened. Main thread; an
/// unlock waits for the seal. A lock ends with the process.
admin::Answer change_lock(
    admin::Action action,
    session::Service& service,
    const config::Settings& settings,
    CustodyWatch& watch
);

/// Who tells the running proxy.
struct LockRequest {
    std::string user;  ///< one of the settings' admin_users; empty: the first of them
    std::string host;  ///< empty: where the settings listen
};

enum class LockVerb { kLock, kUnlock };

/// `pgveil lock` and `pgveil unlock`: gives the command to the console of the proxy that runs with
/// these settings, and prints what is so then. libpq finds the password (PGPASSWORD, PGPASSFILE).
/// Returns the exit code.
int tell_lock(const std::string& settings_file, const LockRequest& request, LockVerb verb);

}  // namespace pgveil::proxy
