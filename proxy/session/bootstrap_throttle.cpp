#include "proxy/session/bootstrap_throttle.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::session {

BootstrapThrottle::Wait::Wait(Wait&& other) noexcept
    : throttle_(std::exchange(other.throttle_, nullptr)), delay_(other.delay_) {}

BootstrapThrottle::Wait::~Wait() {
    if (throttle_ != nullptr) {
        throttle_->release();
    }
}

BootstrapThrottle::BootstrapThrottle() : BootstrapThrottle(Limits()) {}

BootstrapThrottle::BootstrapThrottle(Limits limits) : limits_(limits) {}

BootstrapThrottle::Wait BootstrapThrottle::on_wrong_password(
    std::string_view source, Clock::time_point now
) {
    const std::lock_guard lock(mutex_);
    const unsigned wrong = count(source, now);
    if (waiting_ >= limits_.waiting) {
        return {nullptr, std::chrono::milliseconds(0)};
    }
    ++waiting_;
    constexpr unsigned kDoublingsMax = 20;
    const auto grown = limits_.first * (1U << std::min(wrong - 1, kDoublingsMax));
    return {this, std::min<std::chrono::milliseconds>(grown, limits_.longest)};
}

unsigned BootstrapThrottle::count(std::string_view source, Clock::time_point now) {
    auto known = sources_.find(source);
    if (known == sources_.end()) {
        make_room();
        known = sources_.emplace(std::string(source), Source()).first;
    }
    Source& entry = known->second;
    if (entry.wrong > 0 && now - entry.last > limits_.forget_after) {
        entry.wrong = 0;
    }
    entry.last = now;
    return ++entry.wrong;
}

void BootstrapThrottle::make_room() {
    if (sources_.size() < limits_.sources) {
        return;
    }
    const auto quietest =
        std::min_element(sources_.begin(), sources_.end(), [](const auto& left, const auto& right) {
            return left.second.last < right.second.last;
        });
    sources_.erase(quietest);
}

void BootstrapThrottle::on_right_password(std::string_view source) {
    const std::lock_guard lock(mutex_);
    const auto known = sources_.find(source);
    if (known != sources_.end()) {
        sources_.erase(known);
    }
}

void BootstrapThrottle::release() {
    const std::lock_guard lock(mutex_);
    --waiting_;
}

}  // namespace pgveil::session
