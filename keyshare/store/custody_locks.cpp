#include "keyshare/store/custody_impl.hpp"

#include <utility>

// Users whom an alarm has locked: a row of the store each, so that all proxies of a shared one know
// it, and a restart does not end it.
namespace pgveil::store {

namespace {

bool has_lock(const UserLocks& locks, const std::string& user_id, std::int64_t now_s) {
    const auto found = locks.find(user_id);
    return found != locks.end() && now_s < found->second;
}

}  // namespace

Result<UserLocks> ProxyCustody::Impl::load_locks() const {
    UserLocks locks;
    for (const std::string& user_id : store_.keys("lock")) {
        const auto bytes = store_.read(lock_row(user_id));
        const auto until_s = bytes.has_value() ? parse_lock(bytes->reveal()) : bytes.error();
        if (!until_s.has_value()) {
            return until_s.error();
        }
        locks.emplace(user_id, *until_s);
    }
    return locks;
}

share::Verdict<void> ProxyCustody::Impl::check_lock(
    const Snapshot& snapshot, const std::string& user_id, std::int64_t now_s
) const {
    if (!has_lock(snapshot.locks, user_id, now_s) && !pending_locks_.holds(user_id, now_s)) {
        return {};
    }
    return share::Denial{
        share::DenialKind::kUserLocked,
        "user \"" + user_id +
            "\" is locked after an alarm: the proxy's operator finds it in the log, and ends the "
            "lock with UNLOCK USER in the admin console"};
}

Result<void> ProxyCustody::Impl::lock_user(
    const std::string& user_id, std::int64_t until_s, std::int64_t now_s
) {
    if (has_lock(snapshot_.current()->locks, user_id, now_s) ||
        pending_locks_.holds(user_id, now_s)) {
        return {};
    }
    pending_locks_.add(user_id, until_s);
    return write_pending_locks();
}

Result<void> ProxyCustody::Impl::write_pending_locks() {
    if (pending_locks_.is_empty()) {
        return {};
    }
    const std::scoped_lock lock(writer_);
    const UserLocks pending = pending_locks_.all();
    const auto written =
        pending.empty() ? Result<void>() : in_turn([&] { return write_locks(pending); });
    if (written.has_value()) {
        pending_locks_.remove(pending);
    }
    return written;
}

Result<void> ProxyCustody::Impl::write_locks(const UserLocks& locks) {
    auto next = copy_snapshot();
    std::vector<Change> changes;
    for (const auto& [user_id, until_s] : locks) {
        changes.push_back({lock_row(user_id), serialize_lock(until_s)});
        next->locks[user_id] = until_s;
    }
    return commit(std::move(changes), std::move(next));
}

Result<bool> ProxyCustody::Impl::unlock_user(const std::string& user_id, std::int64_t now_s) {
    const std::scoped_lock lock(writer_);
    const bool was_pending = pending_locks_.holds(user_id, now_s);
    pending_locks_.remove(user_id);
    const auto erased = in_turn([&] { return erase_lock(user_id); });
    return erased.has_value() ? Result<bool>(*erased || was_pending) : erased;
}

Result<bool> ProxyCustody::Impl::erase_lock(const std::string& user_id) {
    if (!store_.contains(lock_row(user_id))) {
        return false;
    }
    auto next = copy_snapshot();
    next->locks.erase(user_id);
    std::vector<Change> changes;
    changes.push_back({lock_row(user_id), std::nullopt});
    const auto done = commit(std::move(changes), std::move(next));
    return done.has_value() ? Result<bool>(true) : done.error();
}

Result<void> ProxyCustody::Impl::forget_ended_locks(std::int64_t now_s) {
    std::vector<Change> changes;
    for (const auto& [user_id, until_s] : snapshot_.current()->locks) {
        if (until_s <= now_s) {
            changes.push_back({lock_row(user_id), std::nullopt});
        }
    }
    if (changes.empty()) {
        return {};
    }
    auto next = copy_snapshot();
    std::erase_if(next->locks, [now_s](const auto& entry) { return entry.second <= now_s; });
    return commit(std::move(changes), std::move(next));
}

UserLocks ProxyCustody::Impl::locked_users(std::int64_t now_s) const {
    UserLocks locks = pending_locks_.all();
    const SnapshotPtr snapshot = snapshot_.current();
    locks.insert(snapshot->locks.begin(), snapshot->locks.end());
    std::erase_if(locks, [now_s](const auto& entry) { return entry.second <= now_s; });
    return locks;
}

}  // namespace pgveil::store
