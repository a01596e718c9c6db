#pragma once

#include "config/custodian_settings.hpp"
#include "keyshare/custodian/api.hpp"
#include "keyshare/user/error.hpp"

#include <csignal>
#include <string>
#include <vector>

namespace pgveil::custodian {

/// The signals that end `serve`, and SIGHUP. Blocks them in this thread and those it starts: they
/// are waited for. SIGPIPE is ignored from now on.
sigset_t block_signals();

/// Opens what the settings name: the store, made at the first start.
user::Result<CustodianStore> open_store(const config::CustodianSettings& settings);

/// Its access log. `recent` gets the entries of the last minute, `options` what the log says of the
/// store's age.
user::Result<AccessLog> open_log(
    const config::CustodianSettings& settings,
    const CustodianStore& store,
    ApiOptions& options,
    std::vector<LogEntry>& recent
);

/// Runs the API behind HTTPS until SIGTERM, SIGINT or SIGQUIT. SIGHUP reads the certificate files
/// anew and begins a new log file if the present one was moved away; connections stay. The signals
/// must be blocked. Says on standard error where it listens.
user::Result<void> serve(const config::CustodianSettings& settings, const sigset_t& signals);

}  // namespace pgveil::custodian
