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

/// Which servers did not serve lately, so that they are asked last for a while: a server that does
/// not answer costs its connect_timeout to few logins, one of another kind a login of its own.
/// Belongs to one worker.
class HostOrder {
public:
    static constexpr net::Duration kAvoided{10000};

    /// Indices into `hosts.targets`: as they stand there, but after them those that were not of the
    /// kind asked for lately, and at the end those that failed lately.
    std::vector<std::size_t> order(const UpstreamHosts& hosts, net::Clock::time_point now) const;

    bool has_failed_lately(const UpstreamTarget& target, net::Clock::time_point now) const;

    void note_failure(const UpstreamTarget& target, net::Clock::time_point now);

    /// It let us in and is not what `attrs` asks for; says nothing about other attrs.
    void note_other_kind(
        const UpstreamTarget& target, config::SessionAttrs attrs, net::Clock::time_point now
    );

    void note_success(const UpstreamTarget& target);

    /// How many servers are remembered: of those noted within kAvoided, never more.
    std::size_t remembered() const noexcept { return avoided_.size(); }

private:
    struct Avoided {
        net::Clock::time_point until;
        std::optional<config::SessionAttrs> by;  ///< nothing: it failed, for whomever
    };

    int rank(const UpstreamHosts& hosts, std::size_t index, net::Clock::time_point now) const;
    void avoid(
        const UpstreamTarget& target,
        std::optional<config::SessionAttrs> by,
        net::Clock::time_point now
    );

    std::map<std::string, Avoided> avoided_;  ///< by UpstreamTarget::text()
};

/// Connects to the first server that lets us in and is of the kind asked for, as connect_upstream
/// does. With one server the error is its own; with several, 08006 that says of each why not, or
/// the error of the server that refused the login. prefer-standby takes any if there is no standby,
/// and then waits for none that failed lately.
/// Throws nothing.
net::Awaitable<Result<UpstreamReady>> connect_to_any(
    net::Loop& loop,
    UpstreamHosts hosts,
    HostOrder& order,
    const UpstreamStartup& startup,
    const ClientIdentity& identity
);

}  // namespace pgveil::session
