#pragma once

#include "config/policy.hpp"
#include "config/settings.hpp"
#include "proxy/session/passwords_file.hpp"
#include "proxy/session/startup.hpp"
#include "proxy/session/upstream_hosts.hpp"
#include "proxy/session/users_file.hpp"

#include <boost/system/result.hpp>

#include <memory>
#include <string>

namespace pgveil::session {

/// Everything that a reload may change, as one immutable value: sessions keep what they began
/// with, except the policy, which they renew between transactions.
struct Snapshot {
    config::Settings settings;
    std::shared_ptr<const config::Policy> policy;
    std::shared_ptr<const Users> users;
    std::shared_ptr<const Passwords> passwords;  // null: none
    StartupRules rules;
    UpstreamHosts upstream;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

/// One line for a person: which file, what is wrong, what to do.
struct LoadError {
    std::string message;
};

/// Loads settings, policy, users, certificates. The error is one line for a person; nothing is
/// half loaded.
boost::system::result<SnapshotPtr, LoadError> load_snapshot(const std::string& settings_file);

/// The same for settings that are loaded already. The policy of `running`, if there is one, stays
/// if the file says the same still: what was prepared under it goes on.
boost::system::result<SnapshotPtr, LoadError> load_snapshot(
    config::Settings settings, const Snapshot* running = nullptr
);

}  // namespace pgveil::session
