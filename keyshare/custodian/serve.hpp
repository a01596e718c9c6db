#pragma once

#include "config/custodian_settings.hpp"
#include "keyshare/custodian/api.hpp"
#include "keyshare/user/error.hpp"

#include <csignal>
#include <string>
#include <vector>

namespace pgveil::custodian {

/// The signals that end `serve`. Blocks them in this thread and those it starts: they are waited
/// for. SIGPIPE is ignored from now on.
sigset_t block_ending_signals();

/// Opens what the settings name: the store, made at the first start.
user::Result<CustodianStore> open_store(const config::CustodianSettings& settings);

/// Its access log. `recent` gets the entries of the last minute.
user::Result<AccessLog> open_log(
    const config::CustodianSettings& settings, std::int64_t now_s, std::vector<LogEntry>& recent
);

/// Runs the API behind HTTPS until SIGTERM, SIGINT or SIGQUIT. The signals must be blocked. Says on
/// standard error where it listens.
user::Result<void> serve(const config::CustodianSettings& settings, const sigset_t& signals);

}  // namespace pgveil::custodian
