#pragma once

#include "proxy/session/snapshot.hpp"

#include <boost/system/result.hpp>

#include <string>
#include <vector>

namespace pgveil::proxy {

struct Reloaded {
    session::SnapshotPtr snapshot;
    /// One line for each setting that has changed and that only a start takes up: the snapshot has
    /// it as it runs.
    std::vector<std::string> notices;
};

/// Reads settings, policy, users and certificates again: all of them, or an error and nothing.
boost::system::result<Reloaded, session::LoadError> reloaded(const session::Snapshot& running);

/// Logs the names that may use the admin console and have no secret to log in with.
void warn_of_strangers(const session::Snapshot& snapshot);

}  // namespace pgveil::proxy
