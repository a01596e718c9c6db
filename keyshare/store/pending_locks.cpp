#include "keyshare/store/pending_locks.hpp"

#include <utility>

namespace pgveil::store {

void PendingLocks::add(const std::string& user_id, std::int64_t until_s) {
    const std::scoped_lock lock(mutex_);
    locks_[user_id] = until_s;
    has_any_ = true;
}

void PendingLocks::remove(const UserLocks& written) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(locks_, [&written](const auto& entry) {
        const auto found = written.find(entry.first);
        return found != written.end() && found->second == entry.second;
    });
    has_any_ = !locks_.empty();
}

void PendingLocks::remove(const std::string& user_id) {
    const std::scoped_lock lock(mutex_);
    locks_.erase(user_id);
    has_any_ = !locks_.empty();
}

UserLocks PendingLocks::all() const {
    const std::scoped_lock lock(mutex_);
    return locks_;
}

bool PendingLocks::holds(const std::string& user_id, std::int64_t now_s) const {
    if (is_empty()) {
        return false;
    }
    const std::scoped_lock lock(mutex_);
    const auto found = locks_.find(user_id);
    return found != locks_.end() && now_s < found->second;
}

}  // namespace pgveil::store
