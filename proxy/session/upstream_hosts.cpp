#include "proxy/session/upstream_hosts.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::session {

namespace {

using config::SessionAttrs;

constexpr std::string_view kUnreachable = "08006";
constexpr std::string_view kCannotConnectNow = "57P03";

bool is_on(const UpstreamGreeting& greeting, const std::string& parameter) {
    const auto found = greeting.parameters.find(parameter);
    return found != greeting.parameters.end() && found->second == "on";
}

/// What the servers said, one after the other.
class Reasons {
public:
    void add(const UpstreamTarget& target, const std::string& why) {
        text_ += (text_.empty() ? "" : "; ") + target.text() + ": " + why;
    }

    LoginError error() const {
        return refuse(kUnreachable, "none of the database servers can take this session", text_);
    }

private:
    std::string text_;
};

/// No other server is asked after this error.
bool is_final(const UpstreamHosts& hosts, const LoginError& error) {
    return hosts.targets.size() == 1 || !is_worth_another_host(error);
}

std::string said(const LoginError& error) {
    return error.detail.empty() ? error.message : error.detail;
}

}  // namespace

std::optional<std::string> reason_against(const UpstreamGreeting& greeting, SessionAttrs attrs) {
    if (attrs == SessionAttrs::kAny) {
        return std::nullopt;
    }
    if (!greeting.parameters.contains("in_hot_standby")) {
        return "it does not say whether it is a standby (PostgreSQL 14 and later do)";
    }
    const bool is_standby = is_on(greeting, "in_hot_standby");
    const bool is_read_only = is_standby || is_on(greeting, "default_transaction_read_only");
    const char* reason = nullptr;
    switch (attrs) {
        case SessionAttrs::kAny: break;
        case SessionAttrs::kReadWrite:
            reason = is_read_only ? "session is read-only" : nullptr;
            break;
        case SessionAttrs::kReadOnly:
            reason = is_read_only ? nullptr : "session is not read-only";
            break;
        case SessionAttrs::kPrimary:
            reason = is_standby ? "server is in hot standby mode" : nullptr;
            break;
        case SessionAttrs::kStandby:
        case SessionAttrs::kPreferStandby:
            reason = is_standby ? nullptr : "server is not in hot standby mode";
            break;
    }
    return reason == nullptr ? std::nullopt : std::optional<std::string>(reason);
}

bool is_worth_another_host(const LoginError& error) {
    return error.sqlstate == kUnreachable || error.sqlstate == kCannotConnectNow;
}

std::vector<std::size_t> HostOrder::order(const UpstreamHosts& hosts, net::Clock::time_point now)
    const {
    std::vector<std::size_t> indices(hosts.targets.size());
    for (std::size_t index = 0; index < indices.size(); ++index) {
        indices[index] = index;
    }
    std::stable_sort(indices.begin(), indices.end(), [&](std::size_t left, std::size_t right) {
        return rank(hosts, left, now) < rank(hosts, right, now);
    });
    return indices;
}

int HostOrder::rank(const UpstreamHosts& hosts, std::size_t index, net::Clock::time_point now)
    const {
    const auto found = avoided_.find(hosts.targets[index].text());
    if (found == avoided_.end() || found->second.until <= now) {
        return 0;
    }
    if (!found->second.by) {
        return 2;
    }
    return *found->second.by == hosts.attrs ? 1 : 0;
}

bool HostOrder::has_failed_lately(const UpstreamTarget& target, net::Clock::time_point now) const {
    const auto found = avoided_.find(target.text());
    return found != avoided_.end() && found->second.until > now && !found->second.by;
}

void HostOrder::note_failure(const UpstreamTarget& target, net::Clock::time_point now) {
    avoid(target, std::nullopt, now);
}

void HostOrder::note_other_kind(
    const UpstreamTarget& target, SessionAttrs attrs, net::Clock::time_point now
) {
    avoid(target, attrs, now);
}

void HostOrder::avoid(
    const UpstreamTarget& target, std::optional<SessionAttrs> by, net::Clock::time_point now
) {
    std::erase_if(avoided_, [now](const auto& each) { return each.second.until <= now; });
    avoided_[target.text()] = {now + kAvoided, by};
}

void HostOrder::note_success(const UpstreamTarget& target) {
    avoided_.erase(target.text());
}

net::Awaitable<Result<UpstreamReady>> connect_to_any(
    net::Loop& loop,
    UpstreamHosts hosts,
    HostOrder& order,
    const UpstreamStartup& startup,
    const ClientIdentity& identity
) {
    Reasons reasons;
    std::optional<UpstreamReady> second_choice;
    for (const std::size_t index : order.order(hosts, net::Clock::now())) {
        const UpstreamTarget& target = hosts.targets[index];
        if (second_choice && order.has_failed_lately(target, net::Clock::now())) {
            break;
        }
        auto ready = co_await connect_upstream(loop, target, startup, identity);
        if (!ready.has_value()) {
            if (is_final(hosts, ready.error())) {
                co_return ready.error();
            }
            order.note_failure(target, net::Clock::now());
            reasons.add(target, said(ready.error()));
            continue;
        }
        const auto against = reason_against(ready->greeting, hosts.attrs);
        if (!against) {
            order.note_success(target);
            co_return ready;
        }
        order.note_other_kind(target, hosts.attrs, net::Clock::now());
        reasons.add(target, *against);
        if (hosts.attrs == SessionAttrs::kPreferStandby && !second_choice) {
            second_choice.emplace(std::move(*ready));
        }
    }
    if (second_choice) {
        co_return Result<UpstreamReady>(*std::move(second_choice));
    }
    co_return reasons.error();
}

}  // namespace pgveil::session
