#include "proxy/alarm/watch.hpp"

namespace pgveil::alarm {

namespace {

constexpr std::size_t kWindowsBeforeCleaning = 1024;

template <class Map, class IsOver>
void erase_over(Map& map, const IsOver& is_over) {
    std::erase_if(map, [&is_over](const auto& entry) { return is_over(entry.second); });
}

}  // namespace

std::optional<std::int64_t> Watch::saw(
    Kind kind, Origin origin, std::string column, std::int64_t now_s
) {
    Alarm alarm{kind, std::move(origin), std::move(column), 0, now_s, 0};
    bool is_new = false;
    {
        const std::lock_guard guard(mutex_);
        forget_ended(now_s);
        const std::string& who = kind == Kind::kDenied ? alarm.origin.role : alarm.origin.user;
        Window& window = windows_[{kind, who}];
        if (window.ends_s <= now_s || window.ends_s > now_s + settings_.window_s) {
            window = {now_s + settings_.window_s, 0, false};  // also after a clock set back
        }
        ++window.count;
        const bool is_due = kind == Kind::kPoison || window.count >= settings_.failed_opens;
        is_new = is_due && !window.is_raised;
        window.is_raised = window.is_raised || is_due;
        alarm.count = window.count;
        alarm.locked_until_s = is_due ? lock(kind, alarm.origin.user, now_s) : 0;
        raised_.at(static_cast<std::size_t>(kind)) += is_new ? 1U : 0U;
    }
    if (is_new) {
        raise_(alarm);
    }
    return alarm.locked_until_s == 0 ? std::nullopt : std::optional(alarm.locked_until_s);
}

/// The mutex is held, here and below.
std::int64_t Watch::lock(Kind kind, const std::string& user, std::int64_t now_s) {
    if (settings_.lock_user_s == 0 || kind == Kind::kDenied) {
        return 0;
    }
    has_locks_ = true;
    return locks_[user] = now_s + settings_.lock_user_s;
}

void Watch::forget_ended(std::int64_t now_s) {
    if (windows_.size() > kWindowsBeforeCleaning) {
        erase_over(windows_, [now_s](const Window& window) { return window.ends_s <= now_s; });
    }
    erase_over(locks_, [now_s](std::int64_t until_s) { return until_s <= now_s; });
    has_locks_ = !locks_.empty();
}

std::optional<std::int64_t> Watch::locked_until(std::string_view user, std::int64_t now_s) const {
    if (!has_locks_) {
        return std::nullopt;
    }
    const std::lock_guard guard(mutex_);
    const auto found = locks_.find(user);
    const bool is_locked = found != locks_.end() && found->second > now_s;
    return is_locked ? std::optional(found->second) : std::nullopt;
}

Counts Watch::counts(std::int64_t now_s) const {
    const std::lock_guard guard(mutex_);
    Counts counts{raised_, 0};
    for (const auto& [user, until_s] : locks_) {
        counts.locked_users += until_s > now_s ? 1U : 0U;
    }
    return counts;
}

}  // namespace pgveil::alarm
