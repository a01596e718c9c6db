#pragma once

#include "keyshare/store/snapshot.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace pgveil::store {

/// Locks of users that do not stand in the store yet. Any thread; asking costs nothing while there
/// are none.
class PendingLocks {
public:
    void add(const std::string& user_id, std::int64_t until_s);
    /// `written` stand in the store now. What was added since for one of these users stays.
    void remove(const UserLocks& written);
    void remove(const std::string& user_id);
    UserLocks all() const;
    bool holds(const std::string& user_id, std::int64_t now_s) const;

    bool is_empty() const { return !has_any_; }

private:
    mutable std::mutex mutex_;
    UserLocks locks_;
    std::atomic<bool> has_any_{false};
};

}  // namespace pgveil::store
