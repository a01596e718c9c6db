#include "proxy/session/admission.hpp"

#include <utility>

namespace pgveil::session {

namespace {

LoginError too_many(std::string message, std::string_view setting, std::uint32_t limit) {
    LoginError error = refuse("53300", std::move(message));
    error.hint = "The setting limits." + std::string(setting) + " of the proxy allows " +
                 std::to_string(limit) + ".";
    return error;
}

}  // namespace

Counter::Place::Place(Place&& other) noexcept
    : counter_(std::exchange(other.counter_, nullptr)),
      name_(std::move(other.name_)),
      number_(std::exchange(other.number_, 0)) {}

Counter::Place& Counter::Place::operator=(Place&& other) noexcept {
    if (this != &other) {
        leave();
        counter_ = std::exchange(other.counter_, nullptr);
        name_ = std::move(other.name_);
        number_ = std::exchange(other.number_, 0);
    }
    return *this;
}

void Counter::Place::leave() {
    if (counter_ == nullptr) {
        return;
    }
    const std::lock_guard lock(counter_->mutex_);
    const auto found = counter_->counts_.find(name_);
    if (--found->second == 0) {
        counter_->counts_.erase(found);
    }
    counter_ = nullptr;
    number_ = 0;
}

Counter::Place Counter::enter(std::string name) {
    const std::lock_guard lock(mutex_);
    Place place;
    place.counter_ = this;
    place.number_ = ++counts_[name];
    place.name_ = std::move(name);
    return place;
}

std::size_t Counter::count(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(name);
    return found == counts_.end() ? 0 : found->second;
}

std::string host_of(std::string_view peer_address) {
    return std::string(peer_address.substr(0, peer_address.rfind(':')));
}

LoginError too_many_from(std::string_view host, std::uint32_t limit) {
    return too_many(
        "too many connections from address \"" + std::string(host) + "\"",
        "sessions_per_address",
        limit
    );
}

LoginError too_many_of(std::string_view user, std::uint32_t limit) {
    return too_many(
        "too many connections for role \"" + std::string(user) + "\"", "sessions_per_user", limit
    );
}

LoginError too_many_logins(std::uint32_t limit) {
    LoginError error = too_many("too many logins are under way", "pending_logins", limit);
    error.hint = "Try again in a moment. " + error.hint;
    return error;
}

}  // namespace pgveil::session
