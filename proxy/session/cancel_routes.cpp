#include "proxy/session/cancel_routes.hpp"

namespace pgveil::session {

namespace {

std::string text_of(const CancelKey& key) {
    return std::to_string(key.process_id) + ":" + std::string(core::as_text(key.secret));
}

}  // namespace

void CancelRoutes::add(const CancelKey& key, const UpstreamTarget& target) {
    const std::lock_guard lock(mutex_);
    routes_.insert_or_assign(text_of(key), target);
}

void CancelRoutes::remove(const CancelKey& key) {
    const std::lock_guard lock(mutex_);
    routes_.erase(text_of(key));
}

std::optional<UpstreamTarget> CancelRoutes::find(const CancelKey& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = routes_.find(text_of(key));
    return found == routes_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace pgveil::session
