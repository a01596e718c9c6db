#pragma once

#include "config/settings.hpp"
#include "proxy/alarm/alarm.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pgveil::alarm {

struct Counts {
    std::array<std::uint64_t, 3> raised{};  ///< by Kind
    std::uint64_t locked_users = 0;         ///< now

    std::uint64_t of(Kind kind) const { return raised.at(static_cast<std::size_t>(kind)); }
};

/// Counts what happens by user (of kDenied by role: who gives wrong shares may name any user), and
/// raises an alarm when a planted value is opened, or `failed_opens` of one kind fall into one
/// window; then no second one of that kind and user before the window is over. Locks the user for
/// `lock_user_s` seconds after kPoison and kFailedOpens: both need his valid shares, so that nobody
/// can lock another one. Locks are this process's, and end with it. Any thread; asking who is
/// locked takes no lock while nobody is.
class Watch {
public:
    /// @param raise called without a lock held, by the thread that saw the last straw
    Watch(config::AlarmSettings settings, std::function<void(const Alarm&)> raise)
        : settings_(std::move(settings)), raise_(std::move(raise)) {}

    /// @param now_s Unix time; @return when the lock of the user ends, if he is locked for it
    std::optional<std::int64_t> saw(
        Kind kind, Origin origin, std::string column, std::int64_t now_s
    );

    /// Unix time; nullopt: the user may go on.
    std::optional<std::int64_t> locked_until(std::string_view user, std::int64_t now_s) const;

    Counts counts(std::int64_t now_s) const;

private:
    struct Window {
        std::int64_t ends_s = 0;
        std::uint64_t count = 0;
        bool is_raised = false;
    };

    void forget_ended(std::int64_t now_s);
    std::int64_t lock(Kind kind, const std::string& user, std::int64_t now_s);

    const config::AlarmSettings settings_;
    const std::function<void(const Alarm&)> raise_;
    mutable std::mutex mutex_;  ///< of all below but the atomic
    std::map<std::pair<Kind, std::string>, Window> windows_;
    std::map<std::string, std::int64_t, std::less<>> locks_;
    std::array<std::uint64_t, 3> raised_{};
    std::atomic<bool> has_locks_{false};
};

}  // namespace pgveil::alarm
