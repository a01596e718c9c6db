#include "proxy/relay/pending_replies.hpp"

#include <algorithm>

namespace pgveil::relay {

bool Expected::brings_protected_rows() const {
    return (kind == Awaited::kExecute || kind == Awaited::kQuery) &&
           std::any_of(portals.begin(), portals.end(), [](const auto& item) {
               return item != nullptr;
           });
}

Expected& PendingReplies::push(Expected expected) {
    settings_in_flight_ += expected.changes_settings ? 1U : 0U;
    protected_rows_ += expected.brings_protected_rows() ? 1U : 0U;
    return queue_.emplace_back(std::move(expected));
}

void PendingReplies::note_sent() {
    constexpr metrics::Clock::time_point kUnset;
    if (queue_.empty() || queue_.back().sent != kUnset) {
        return;
    }
    const auto now = metrics::Clock::now();
    for (auto next = queue_.rbegin(); next != queue_.rend() && next->sent == kUnset; ++next) {
        next->sent = now;
    }
}

void PendingReplies::discount(const Expected& expected) {
    settings_in_flight_ -= expected.changes_settings ? 1U : 0U;
    protected_rows_ -= expected.brings_protected_rows() ? 1U : 0U;
}

void PendingReplies::pop() {
    discount(queue_.front());
    queue_.pop_front();
}

void PendingReplies::silence(const SegmentPtr& segment) {
    for (Expected& expected : queue_) {
        expected.silenced |= expected.segment == segment;
    }
}

void PendingReplies::forget_syncs_behind_front() {
    while (queue_.size() > 1 && queue_[1].kind == Awaited::kSync) {
        queue_.erase(queue_.begin() + 1);
        ++forgotten_syncs_;
    }
}

bool PendingReplies::recall_sync() {
    if (forgotten_syncs_ == 0) {
        return false;
    }
    --forgotten_syncs_;
    Expected sync;
    sync.kind = Awaited::kSync;
    queue_.push_front(std::move(sync));
    return true;
}

}  // namespace pgveil::relay
