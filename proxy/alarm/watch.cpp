#include "proxy/alarm/watch.hpp"

namespace pgveil::alarm {

namespace {

constexpr std::size_t kWindowsBeforeCleaning = 1024;

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
        alarm.locked_until_s = is_due ? end_of_lock(kind, now_s) : 0;
        raised_.at(static_cast<std::size_t>(kind)) += is_new ? 1U : 0U;
    }
    if (alarm.locked_until_s != 0) {
        actions_.lock(alarm.origin.user, alarm.locked_until_s, now_s);
    }
    if (is_new) {
        actions_.raise(alarm);
    }
    return alarm.locked_until_s == 0 ? std::nullopt : std::optional(alarm.locked_until_s);
}

/// Unix time; 0: nobody is locked for it.
std::int64_t Watch::end_of_lock(Kind kind, std::int64_t now_s) const {
    const bool locks = settings_.lock_user_s != 0 && kind != Kind::kDenied;
    return locks ? now_s + settings_.lock_user_s : 0;
}

/// The mutex is held.
void Watch::forget_ended(std::int64_t now_s) {
    if (windows_.size() > kWindowsBeforeCleaning) {
        std::erase_if(windows_, [now_s](const auto& entry) {
            return entry.second.ends_s <= now_s;
        });
    }
}

Counts Watch::counts() const {
    const std::lock_guard guard(mutex_);
    return {raised_};
}

}  // namespace pgveil::alarm
