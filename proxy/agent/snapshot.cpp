#include "proxy/agent/snapshot.hpp"

#include "net/tls_context.hpp"

#include <utility>

namespace pgveil::agent {

namespace {

using user::Result;

Result<session::UpstreamTarget> target_of(const config::AgentSettings& settings) {
    session::UpstreamTarget target;
    target.host = settings.upstream_host;
    target.port = settings.upstream_port;
    target.connect_timeout = net::Duration(settings.connect_timeout_ms);
    target.role = "the pgveil proxy";
    target.tls_hint = "Set listen.tls in the proxy's settings.";
    if (target.is_unix_socket()) {
        return target;
    }
    auto tls = net::TlsContext::load_client(settings.upstream_ca);
    if (!tls.has_value()) {
        return user::unusable(tls.error().message);
    }
    target.tls = std::move(*tls);
    return target;
}

Result<SnapshotPtr> assemble(config::AgentSettings settings, Result<Accounts> accounts) {
    if (!accounts) {
        return accounts.error();
    }
    auto target = target_of(settings);
    if (!target) {
        return target.error();
    }
    return std::make_shared<const Snapshot>(Snapshot{
        std::move(settings), std::move(*accounts), std::move(*target)});
}

/// The first role that would get no app share from anywhere; empty: none.
std::string without_share(const config::AgentSettings& settings) {
    for (const auto& [role, files] : settings.users) {
        if (files.app_share.empty() && settings.share_table.empty()) {
            return role;
        }
    }
    return {};
}

/// Collects what stays as it runs.
class Kept {
public:
    template <class Value>
    void keep(const std::string& name, const Value& running, Value& fresh) {
        if (running != fresh) {
            names_.push_back(name);
            fresh = running;
        }
    }

    std::vector<std::string> names() { return std::move(names_); }

private:
    std::vector<std::string> names_;
};

}  // namespace

Result<SnapshotPtr> load_snapshot(
    config::AgentSettings settings, std::optional<int> passphrase_fd
) {
    auto accounts = Accounts::load(settings, passphrase_fd);
    return assemble(std::move(settings), std::move(accounts));
}

Result<Reloaded> load_again(const Snapshot& running) {
    auto settings = config::load_agent_settings(running.settings.file);
    if (!settings.has_value()) {
        return user::unusable(settings.error().message);
    }
    Kept kept;
    const config::AgentSettings& now = running.settings;
    kept.keep("listen.host", now.host, settings->host);
    kept.keep("listen.port", now.port, settings->port);
    kept.keep("listen.unix_socket.directory", now.unix_directory, settings->unix_directory);
    kept.keep("listen.unix_socket.permissions", now.unix_permissions, settings->unix_permissions);
    kept.keep("limits.sessions", now.sessions, settings->sessions);
    kept.keep("share_table", now.share_table, settings->share_table);
    if (auto missing = without_share(*settings); !missing.empty()) {
        return user::unusable(
            "role " + missing +
            " has no \"app_share\", and a \"share_table\" that was not there at "
            "the start takes a restart of the agent"
        );
    }
    auto accounts = running.accounts.load_again(*settings);
    auto snapshot = assemble(std::move(*settings), std::move(accounts));
    if (!snapshot) {
        return snapshot.error();
    }
    return Reloaded{std::move(*snapshot), kept.names()};
}

}  // namespace pgveil::agent
