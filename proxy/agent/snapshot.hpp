#pragma once

#include "config/agent_settings.hpp"
#include "keyshare/user/error.hpp"
#include "proxy/agent/accounts.hpp"
#include "proxy/session/upstream_connection.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::agent {

/// What sessions are served by: settings, keys and certificates as their files were at the start,
/// or at the last reload. Immutable.
struct Snapshot {
    config::AgentSettings settings;
    Accounts accounts;
    session::UpstreamTarget target;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

/// Opens what the settings name. Errors name file and remedy.
/// @param passphrase_fd as Accounts::load takes it
user::Result<SnapshotPtr> load_snapshot(
    config::AgentSettings settings, std::optional<int> passphrase_fd
);

struct Reloaded {
    SnapshotPtr snapshot;
    /// The settings that have changed and that only a start takes up: the snapshot has them as they
    /// run.
    std::vector<std::string> kept;
};

/// Reads the files of a running agent again: all of them, or an error and nothing. Asks nobody.
user::Result<Reloaded> load_again(const Snapshot& running);

}  // namespace pgveil::agent
