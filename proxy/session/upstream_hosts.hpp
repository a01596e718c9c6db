#pragma once

#include "config/settings.hpp"
#include "net/loop.hpp"
#include "proxy/session/upstream_login.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::session {

/// The database servers of one settings snapshot, in the order they are tried. Never empty.
struct UpstreamHosts {
    std::vector<UpstreamTarget> targets;
    config::SessionAttrs attrs = config::SessionAttrs::kAny;
};

/// Why a server that let us in is not one of those asked for; nothing if it is. Known from what
/// PostgreSQL (14 and later) reports at login: in_hot_standby, default_transaction_read_only.
/// kPreferStandby is judged as kStandby.
std::optional<std::string> reason_against(
    const UpstreamGreeting& greeting, config::SessionAttrs attrs
);

/// Whether the next server is tried after this error: not reached, or not open for connections.
/// Whoever is refused for what he is would be refused by the others, too.
bool is_worth_another_host(const LoginError& error);

/// Which servers failed lately: they are tried last for a while, so that a server that does not
/// answer costs its connect_timeout to few logins. Belongs to one worker.
class HostOrder {
public:
    static constexpr net::Duration kAvoided{10000};

    /// Indices into `hosts.targets`: the order given there, but who failed lately stands last.
    std::vector<std::size_t> order(const UpstreamHosts& hosts, net::Clock::time_point now) const;

    void note_failure(const UpstreamTarget& target, net::Clock::time_point now);
    void note_success(const UpstreamTarget& target);

private:
    std::map<std::string, net::Clock::time_point> avoided_until_;  ///< by UpstreamTarget::text()
};

/// Connects to the first server that lets us in and is of the kind asked for, as connect_upstream
/// does. With one server the error is its own; with several, 08006 that says of each why not, or
/// the error of the server that refused the login. prefer-standby takes any if there is no standby.
/// Throws nothing.
net::Awaitable<Result<UpstreamReady>> connect_to_any(
    net::Loop& loop,
    UpstreamHosts hosts,
    HostOrder& order,
    const UpstreamStartup& startup,
    const ClientIdentity& identity
);

}  // namespace pgveil::session
