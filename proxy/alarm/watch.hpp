#pragma once

#include "config/settings.hpp"
#include "proxy/alarm/alarm.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace pgveil::alarm {

struct Counts {
    std::array<std::uint64_t, 3> raised{};  ///< by Kind

    std::uint64_t of(Kind kind) const { return raised.at(static_cast<std::size_t>(kind)); }
};

/// Counts what happens by user (of kDenied by role: who gives wrong shares may name any user), and
/// raises an alarm when a planted value is opened, or `failed_opens` of one kind fall into one
/// window; then no second one of that kind and user before the window is over. Has the user locked
/// for `lock_user_s` seconds after kPoison and kFailedOpens: both need his valid shares, so that
/// nobody can lock another one. Any thread.
class Watch {
public:
    /// Called without a lock held, by the thread that saw the last straw.
    struct Actions {
        std::function<void(const Alarm&)> raise;
        /// Of one who is locked already, too. Comes before `raise`. Unix times.
        std::function<void(const std::string& user, std::int64_t until_s, std::int64_t now_s)> lock;
    };

    Watch(config::AlarmSettings settings, Actions actions)
        : settings_(std::move(settings)), actions_(std::move(actions)) {}

    /// @param now_s Unix time; @return when the lock of the user ends, if he is locked for it
    std::optional<std::int64_t> saw(
        Kind kind, Origin origin, std::string column, std::int64_t now_s
    );

    Counts counts() const;

private:
    struct Window {
        std::int64_t ends_s = 0;
        std::uint64_t count = 0;
        bool is_raised = false;
    };

    void forget_ended(std::int64_t now_s);
    std::int64_t end_of_lock(Kind kind, std::int64_t now_s) const;

    const config::AlarmSettings settings_;
    const Actions actions_;
    mutable std::mutex mutex_;  ///< of all below
    std::map<std::pair<Kind, std::string>, Window> windows_;
    std::array<std::uint64_t, 3> raised_{};
};

}  // namespace pgveil::alarm
