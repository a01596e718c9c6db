#pragma once

#include <string>

namespace pgveil::proxy {

/// The two files of a backup of the share store.
struct BackupRequest {
    std::string store;
    std::string key;
};

struct RestoreRequest {
    BackupRequest from;  ///< both empty: the store stays, and only accept_older counts
    bool accept_older = false;
};

/// `pgveil backup`: copies the share store and its key, of a proxy that is stopped. Returns the
/// exit code; what went wrong stands on standard error.
int back_up(const std::string& settings_file, const BackupRequest& request);

/// `pgveil restore`: puts a backup in the store's place. A backup that is older than what the home
/// database remembers is put there only if that is accepted.
int restore(const std::string& settings_file, const RestoreRequest& request);

}  // namespace pgveil::proxy
